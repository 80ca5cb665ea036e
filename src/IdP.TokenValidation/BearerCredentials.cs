using System.Buffers;
using Microsoft.AspNetCore.Http;

namespace IdP.TokenValidation;

/// <summary>The token of a request, from the Authorization header and nowhere else (RFC 6750 §2.1).</summary>
internal readonly record struct BearerCredentials(string? Token, string? Problem)
{
    private const string Scheme = "Bearer";

    // RFC 6750 §2.1, b64token.
    private static readonly SearchValues<char> TokenCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/");

    /// <returns>A token, or a problem, or neither if the request has no bearer token.</returns>
    public static BearerCredentials Read(HttpRequest request)
    {
        var headers = request.Headers.Authorization;
        if (headers.Count > 1) return Malformed("The request has more than one Authorization header");
        var header = headers.ToString();

        // RFC 9110 §11.1: the name of a scheme has no case.
        if (!header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)) return default;
        if (header.Length > Scheme.Length && header[Scheme.Length] is not (' ' or '\t' or ',' or '=')) return default;

        // RFC 6750 §2: one method per request; this API reads one only, but a second one shows that something is wrong.
        if (request.Query.ContainsKey("access_token")) return Malformed("The request carries a token in more than one place");
        if (header.Length <= Scheme.Length + 1 || header[Scheme.Length] != ' ' || !IsToken(header.AsSpan(Scheme.Length + 1)))
            return Malformed("The Authorization header is not Bearer, one space and a token");
        return new BearerCredentials(header[(Scheme.Length + 1)..], null);
    }

    private static bool IsToken(ReadOnlySpan<char> text)
    {
        var token = text.TrimEnd('=');
        return !token.IsEmpty && !token.ContainsAnyExcept(TokenCharacters);
    }

    private static BearerCredentials Malformed(string problem) => new(null, problem);
}
