using System.Security.Cryptography;

namespace IdP.Ui;

/// <summary>The one stylesheet, part of the program. Its address changes with its content, so that it may be kept for ever.</summary>
internal sealed class Stylesheet
{
    public const string Path = "/ui/idp.css";
    private readonly byte[] _content;

    public Stylesheet()
    {
        using var stream = typeof(Stylesheet).Assembly.GetManifestResourceStream("IdP.Ui.idp.css")!;
        _content = new byte[stream.Length];
        stream.ReadExactly(_content);
        Address = $"{Path}?v={Convert.ToHexStringLower(SHA256.HashData(_content).AsSpan(0, 8))}";
    }

    public string Address { get; }

    public Task Respond(HttpContext http)
    {
        http.Response.ContentType = "text/css; charset=utf-8";
        http.Response.Headers.CacheControl = "public, max-age=31536000, immutable";
        http.Response.ContentLength = _content.Length;
        return http.Response.BodyWriter.WriteAsync(_content, http.RequestAborted).AsTask();
    }
}
