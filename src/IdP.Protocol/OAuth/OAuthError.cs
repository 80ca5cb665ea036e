using System.Text;

namespace IdP.Protocol.OAuth;

/// <summary>What a client is told (<see cref="Code"/>, <see cref="Description"/>) and what only the log says (<see cref="Detail"/>).</summary>
internal sealed record OAuthError(string Code, string Description, int Status = 400, string? Detail = null)
{
    /// <summary>Seconds for a Retry-After header; null sends none.</summary>
    public int? RetryAfter { get; init; }

    public static OAuthError InvalidRequest(string description, string? detail = null) => new("invalid_request", description, 400, detail);

    // RFC 6749 §5.2: one answer for every reason, so that it does not tell which clients exist; the reason goes to the log.
    public static OAuthError InvalidClient(string detail) => new("invalid_client", "client authentication failed", 401, detail);

    public static OAuthError InvalidGrant(string description, string? detail = null) => new("invalid_grant", description, 400, detail);

    public static OAuthError UnauthorizedClient(string description) => new("unauthorized_client", description);

    public static OAuthError UnsupportedGrantType(string description) => new("unsupported_grant_type", description);

    public static OAuthError InvalidScope(string description) => new("invalid_scope", description);

    // RFC 8707 §2
    public static OAuthError InvalidTarget(string description) => new("invalid_target", description);

    public static OAuthError TooLarge(string description) => new("invalid_request", description, 413);

    public static OAuthError TooManyFailures(int seconds) =>
        new("temporarily_unavailable", $"too many attempts; wait {seconds} seconds", 429) { RetryAfter = seconds };

    public static OAuthError Unavailable(string description, int seconds, string? detail = null) =>
        new("temporarily_unavailable", description, 503, detail) { RetryAfter = seconds };

    /// <summary>A piece of the request made fit for a description: short, and only the characters that RFC 6749 §5.2 allows.</summary>
    public static string Printable(string value)
    {
        const int longest = 100;
        var text = new StringBuilder();
        foreach (var c in value.AsSpan(0, Math.Min(value.Length, longest)))
            text.Append(c is >= ' ' and <= '~' and not '"' and not '\\' ? c : '?');
        return value.Length > longest ? text.Append("...").ToString() : text.ToString();
    }
}
