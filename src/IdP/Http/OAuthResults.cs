using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using IdP.Protocol.OAuth;

namespace IdP.Http;

/// <summary>The one place that writes protocol answers.</summary>
internal static class OAuthResults
{
    private const string Json = "application/json";

    // Never read as HTML (nosniff), so that quotes and plus signs need not be escapes that a person has to decode.
    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Task Error(HttpContext http, OAuthError error)
    {
        var facts = RequestFacts.Of(http);
        facts.Outcome = error.Code;
        facts.Detail = error.Detail ?? error.Description;
        http.Response.StatusCode = error.Status;
        // RFC 9110 §15.5.2: a 401 names a scheme that would do. RFC 6749 §5.2: the client's own, which is Basic if it used a header.
        if (error.Status == 401 && http.Response.Headers.WWWAuthenticate.Count == 0) http.Response.Headers.WWWAuthenticate = "Basic realm=\"IdP\", charset=\"UTF-8\"";
        if (error.RetryAfter is { } seconds) http.Response.Headers.RetryAfter = seconds.ToString();
        return Write(http, writer =>
        {
            writer.WriteStartObject();
            writer.WriteString("error"u8, error.Code);
            writer.WriteString("error_description"u8, error.Description);
            writer.WriteEndObject();
        });
    }

    /// <summary>Writes JSON that must not be kept (RFC 6749 §5.1).</summary>
    public static Task Write(HttpContext http, Action<Utf8JsonWriter> content)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var writer = new Utf8JsonWriter(buffer, Readable)) content(writer);
        return Write(http, buffer.WrittenMemory);
    }

    /// <summary>Writes an answer that is ready as bytes.</summary>
    public static Task Write(HttpContext http, ReadOnlyMemory<byte> json, string contentType = Json)
    {
        var response = http.Response;
        response.ContentType = contentType;
        response.Headers.CacheControl = "no-store";
        response.ContentLength = json.Length;
        return response.BodyWriter.WriteAsync(json, http.RequestAborted).AsTask();
    }
}
