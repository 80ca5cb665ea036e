using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json;

namespace IdP.Discovery;

/// <summary>A public JSON document as ready bytes, made anew only when what it was derived from has changed.</summary>
internal sealed class PublishedDocument(Func<object> edition, Action<Utf8JsonWriter> content)
{
    // Short next to the day for which the next signing key is published before its use.
    private const string Cache = "public, max-age=300";
    private volatile Version? _current;

    public Task Respond(HttpContext http)
    {
        var now = edition();
        var current = _current;
        if (current is null || !current.Edition.Equals(now)) _current = current = Make(now);

        var headers = http.Response.Headers;
        headers.ETag = current.ETag;
        headers.CacheControl = Cache;
        headers.AccessControlAllowOrigin = "*";
        if (http.Request.Headers.IfNoneMatch == current.ETag)
        {
            http.Response.StatusCode = 304;
            return Task.CompletedTask;
        }
        http.Response.ContentType = "application/json";
        http.Response.ContentLength = current.Bytes.Length;
        return HttpMethods.IsHead(http.Request.Method) ? Task.CompletedTask : http.Response.BodyWriter.WriteAsync(current.Bytes, http.RequestAborted).AsTask();
    }

    private Version Make(object now)
    {
        var buffer = new ArrayBufferWriter<byte>(2048);
        using (var writer = new Utf8JsonWriter(buffer)) content(writer);
        return new Version(now, buffer.WrittenSpan.ToArray(), $"\"{Convert.ToHexStringLower(SHA256.HashData(buffer.WrittenSpan).AsSpan(0, 12))}\"");
    }

    private sealed record Version(object Edition, byte[] Bytes, string ETag);
}
