using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using IdP.Http;
using IdP.Protocol;
using IdP.Protocol.OAuth;
using Microsoft.AspNetCore.WebUtilities;

namespace IdP.ApiKeys;

/// <summary>What the owner's API reads, strictly and bounded, and how it says that something is wrong (RFC 9457).</summary>
internal static class ApiKeyBodies
{
    public const int Longest = 16 * 1024;

    public sealed record Turn(int OverlapSeconds, int? ExpiresInDays);

    /// <summary>One JSON object; no body at all is an empty one.</summary>
    public static async ValueTask<Result<JsonElement>> Read(HttpRequest request, CancellationToken ct)
    {
        if (request.Headers.ContentEncoding.Count > 0) return new OAuthError("invalid_request", "a compressed body is not supported", 415);
        if (request.ContentLength > Longest) return TooLarge();
        ReadResult read;
        try
        {
            read = await request.BodyReader.ReadAtLeastAsync(Longest + 1, ct);
        }
        catch (IOException failure)
        {
            return failure is BadHttpRequestException { StatusCode: 413 } ? TooLarge() : OAuthError.InvalidRequest("the body is broken", failure.GetType().Name);
        }
        var length = read.Buffer.Length;
        var bytes = length is > 0 and <= Longest ? read.Buffer.ToArray() : "{}"u8.ToArray();
        request.BodyReader.AdvanceTo(read.Buffer.End);
        if (length > Longest) return TooLarge();
        if (length > 0 && !IsJson(request.ContentType)) return new OAuthError("invalid_request", "the Content-Type must be application/json", 415);
        return StrictJson.TryParseObject(bytes, out var body) ? body : OAuthError.InvalidRequest("the body must be one JSON object in UTF-8 in which no member is twice");
    }

    public static Result<NewApiKey> NewKey(JsonElement body)
    {
        if (Unknown(body, ["name", "resource", "scopes", "expires_in_days"]) is { } unknown) return unknown;
        if (!StrictJson.TryGetString(body, "name", out var name)) return OAuthError.InvalidRequest("name is required, a text");
        if (!StrictJson.TryGetString(body, "resource", out var resource)) return OAuthError.InvalidRequest("resource is required, the URI of an API");
        if (!body.TryGetProperty("scopes", out var list) || list.ValueKind != JsonValueKind.Array || list.GetArrayLength() == 0 || list.EnumerateArray().Any(s => s.ValueKind != JsonValueKind.String))
            return OAuthError.InvalidRequest("scopes is required, a list of one or more names");
        if (Number(body, "expires_in_days").Failed(out var days, out var error)) return error;
        return new NewApiKey(name, resource, [.. list.EnumerateArray().Select(s => s.GetString()!).Distinct(StringComparer.Ordinal)], days.Value);
    }

    public static Result<Turn> Rotation(JsonElement body)
    {
        if (Unknown(body, ["overlap_seconds", "expires_in_days"]) is { } unknown) return unknown;
        if (Number(body, "overlap_seconds").Failed(out var overlap, out var error) || Number(body, "expires_in_days").Failed(out var days, out error)) return error;
        return new Turn(overlap.Value ?? 0, days.Value);
    }

    public static Task Problem(HttpContext http, OAuthError error)
    {
        var facts = RequestFacts.Of(http);
        (facts.Outcome, facts.Detail) = (error.Code, error.Detail ?? error.Description);
        http.Response.StatusCode = error.Status;
        if (error.RetryAfter is { } seconds) http.Response.Headers.RetryAfter = seconds.ToString();
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("type"u8, "about:blank"u8);
            writer.WriteString("title"u8, ReasonPhrases.GetReasonPhrase(error.Status));
            writer.WriteNumber("status"u8, error.Status);
            writer.WriteString("detail"u8, error.Description);
            writer.WriteString("error"u8, error.Code);
            writer.WriteEndObject();
        }
        return OAuthResults.Write(http, buffer.WrittenMemory, "application/problem+json");
    }

    private static Result<Optional> Number(JsonElement body, string name)
    {
        if (!body.TryGetProperty(name, out var value)) return new Optional(null);
        return value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) ? new Optional(number) : OAuthError.InvalidRequest($"{name} must be a whole number");
    }

    // A member that is misspelt would otherwise be a wish that is passed over.
    private static OAuthError? Unknown(JsonElement body, string[] known) =>
        body.EnumerateObject().Select(member => member.Name).FirstOrDefault(name => !known.Contains(name)) is { } unknown
            ? OAuthError.InvalidRequest($"there is no member '{OAuthError.Printable(unknown)}' here: use {string.Join(", ", known)}")
            : null;

    private static bool IsJson(string? contentType)
    {
        if (contentType is null) return false;
        var semicolon = contentType.IndexOf(';', StringComparison.Ordinal);
        return (semicolon < 0 ? contentType : contentType.AsSpan(0, semicolon)).Trim().Equals("application/json", StringComparison.OrdinalIgnoreCase);
    }

    private static OAuthError TooLarge() => OAuthError.TooLarge($"the body is larger than {Longest} bytes");

    private sealed record Optional(int? Value);
}
