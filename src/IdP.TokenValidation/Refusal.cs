using System.Buffers;
using System.Globalization;
using System.Security.Claims;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace IdP.TokenValidation;

/// <summary>An answer that refuses a request: status and challenges by RFC 9110 §11.6.1, problem details by RFC 9457.</summary>
/// <param name="Status">The status.</param>
/// <param name="Title">Its phrase.</param>
/// <param name="Error">A code for programs; RFC 6750 §3.1 has those of bearer tokens.</param>
/// <param name="Detail">A sentence for people that can stand in a header: nothing of the request is in it.</param>
internal sealed record Refusal(int Status, string Title, string? Error, string Detail)
{
    private const int RetryAfterSeconds = 2;

    // Never read as HTML.
    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>What is missing, by kind: <c>scope</c>, <c>roles</c>, <c>acr_values</c> and so on, values separated by spaces.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Parameters { get; init; } = [];

    /// <summary>RFC 6750 §3.1: a request without credentials is told how to authenticate and no error.</summary>
    public static Refusal NoCredential(AcceptedSchemes accepted) => new(StatusCodes.Status401Unauthorized, "Unauthorized", null,
        $"This needs {string.Join(" or ", accepted.Schemes.Select(scheme => Wanted(scheme.Options)).Distinct())}.");

    public static Refusal Unavailable(CredentialKind kind) => new(StatusCodes.Status503ServiceUnavailable, "Service Unavailable", null,
        $"{(kind is CredentialKind.Bearer or CredentialKind.Session ? "Access tokens" : "API keys")} cannot be checked at the moment.");

    public static Refusal InvalidRequest(string problem) => new(StatusCodes.Status400BadRequest, "Bad Request", "invalid_request", problem);

    public static Refusal InvalidCredential(CredentialKind kind, string problem) => new(StatusCodes.Status401Unauthorized, "Unauthorized", kind switch
    {
        CredentialKind.Bearer => "invalid_token",
        CredentialKind.Session => "invalid_session",
        _ => "invalid_key",
    }, problem);

    public static Refusal CrossSite(Carrier carrier, string header) => new(StatusCodes.Status403Forbidden, "Forbidden", "cross_site_request",
        $"A request with a credential in {carrier} that changes something needs the header {header} or an antiforgery token");

    /// <summary>What the user lacks, by the requirements that were not met.</summary>
    public static Refusal Of(ClaimsPrincipal user, AuthorizationFailure? failure, CredentialKind kind) => Missing.Of(user, failure, Noun(kind));

    public static string Noun(CredentialKind kind) => kind switch
    {
        CredentialKind.Bearer => "The access token",
        CredentialKind.Session => "The session",
        _ => "The API key",
    };

    public async Task Write(HttpContext http, AcceptedSchemes accepted, string? scheme)
    {
        var response = http.Response;
        if (response.HasStarted) return;
        response.StatusCode = Status;
        response.Headers.CacheControl = "no-store";
        if (Status == StatusCodes.Status503ServiceUnavailable) response.Headers.RetryAfter = RetryAfterSeconds.ToString(CultureInfo.InvariantCulture);
        else response.Headers.WWWAuthenticate = StringValues.Concat(response.Headers.WWWAuthenticate, Challenge.All(http, this, accepted, scheme));

        var body = Body();
        response.ContentType = "application/problem+json";
        response.ContentLength = body.Length;
        if (!HttpMethods.IsHead(http.Request.Method)) await response.Body.WriteAsync(body, http.RequestAborted);
    }

    private static string Wanted(TokenValidationOptions options) => options.Kind switch
    {
        CredentialKind.Bearer => "an access token",
        CredentialKind.Basic => "the id and the secret of an API key by HTTP Basic",
        CredentialKind.ApiKey => $"an API key in {string.Join(" or ", options.Carriers.AsEnumerable())}",
        _ => "a session",
    };

    private ReadOnlyMemory<byte> Body()
    {
        var body = new ArrayBufferWriter<byte>(256);
        using var json = new Utf8JsonWriter(body, Readable);
        json.WriteStartObject();
        json.WriteString("type"u8, "about:blank"u8);
        json.WriteString("title"u8, Title);
        json.WriteNumber("status"u8, Status);
        json.WriteString("detail"u8, Detail);
        if (Error is not null) json.WriteString("error"u8, Error);
        foreach (var (name, value) in Parameters) json.WriteString(name, value);
        json.WriteEndObject();
        json.Flush();
        return body.WrittenMemory;
    }
}
