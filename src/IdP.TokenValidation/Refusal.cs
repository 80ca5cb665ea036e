using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace IdP.TokenValidation;

/// <summary>An answer that refuses a request: status and challenge by RFC 6750 §3, problem details by RFC 9457.</summary>
internal sealed record Refusal(int Status, string Title, string? Error, string? Detail)
{
    private const int RetryAfterSeconds = 2;

    /// <summary>RFC 6750 §3.1: a request without credentials is told how to authenticate and no error.</summary>
    public static Refusal NoToken { get; } = new(StatusCodes.Status401Unauthorized, "Unauthorized", null, "This needs an access token.");

    public static Refusal Unavailable { get; } =
        new(StatusCodes.Status503ServiceUnavailable, "Service Unavailable", null, "Access tokens cannot be checked at the moment.");

    public static Refusal Forbidden { get; } = new(StatusCodes.Status403Forbidden, "Forbidden", null, "The access token does not allow this.");

    /// <summary>The scopes that the request lacked, for the challenge.</summary>
    public string? Scope { get; private init; }

    public static Refusal InvalidRequest(string problem) => new(StatusCodes.Status400BadRequest, "Bad Request", "invalid_request", problem);

    public static Refusal InvalidToken(string problem) => new(StatusCodes.Status401Unauthorized, "Unauthorized", "invalid_token", problem);

    public static Refusal InsufficientScope(IEnumerable<string> missing) =>
        new(StatusCodes.Status403Forbidden, "Forbidden", "insufficient_scope", "The access token lacks a scope") { Scope = string.Join(' ', missing) };

    public async Task Write(HttpContext http, string realm)
    {
        var response = http.Response;
        if (response.HasStarted) return;
        response.StatusCode = Status;
        response.Headers.CacheControl = "no-store";
        if (Status == StatusCodes.Status503ServiceUnavailable) response.Headers.RetryAfter = RetryAfterSeconds.ToString(CultureInfo.InvariantCulture);
        else if (Error is not null || Status == StatusCodes.Status401Unauthorized) response.Headers.WWWAuthenticate = StringValues.Concat(response.Headers.WWWAuthenticate, Challenge(realm));

        var body = Body();
        response.ContentType = "application/problem+json";
        response.ContentLength = body.Length;
        if (!HttpMethods.IsHead(http.Request.Method)) await response.Body.WriteAsync(body, http.RequestAborted);
    }

    // All values are ours or checked when the application starts, so that nothing needs escaping.
    private string Challenge(string realm)
    {
        var challenge = $"Bearer realm=\"{realm}\"";
        if (Error is not null) challenge += $", error=\"{Error}\", error_description=\"{Detail}\"";
        return Scope is null ? challenge : $"{challenge}, scope=\"{Scope}\"";
    }

    private ReadOnlyMemory<byte> Body()
    {
        var body = new ArrayBufferWriter<byte>(256);
        using var json = new Utf8JsonWriter(body);
        json.WriteStartObject();
        json.WriteString("type"u8, "about:blank"u8);
        json.WriteString("title"u8, Title);
        json.WriteNumber("status"u8, Status);
        if (Detail is not null) json.WriteString("detail"u8, Detail);
        if (Error is not null) json.WriteString("error"u8, Error);
        if (Scope is not null) json.WriteString("scope"u8, Scope);
        json.WriteEndObject();
        json.Flush();
        return body.WrittenMemory;
    }
}
