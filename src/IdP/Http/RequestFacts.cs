namespace IdP.Http;

/// <summary>What the request log and the audit say of one request; endpoints fill it in as they learn it. Never a secret.</summary>
internal sealed class RequestFacts
{
    public required string Address { get; init; }
    public required string Method { get; init; }
    public required string Path { get; init; }
    public string? ClientId { get; set; }

    /// <summary>Who acts as far as it is known before anybody has signed in: the app, as the audit names it.</summary>
    public string Actor => ClientId is null ? "server" : $"client:{ClientId}";
    public string? Grant { get; set; }
    public string? Outcome { get; set; }
    public string? Detail { get; set; }

    public static RequestFacts Of(HttpContext http) => http.Features.Get<RequestFacts>() ?? throw new InvalidOperationException("RequestBoundary must be the first middleware.");
}
