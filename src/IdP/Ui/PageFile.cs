using System.Security.Cryptography;

namespace IdP.Ui;

/// <summary>A file that pages load, part of the program. Its address changes with its content, so that it may be kept for ever.</summary>
internal abstract class PageFile
{
    private readonly byte[] _content;
    private readonly string _type;

    protected PageFile(string path, string resource, string type)
    {
        using var stream = typeof(PageFile).Assembly.GetManifestResourceStream(resource)!;
        _content = new byte[stream.Length];
        stream.ReadExactly(_content);
        _type = type;
        Path = path;
        Address = $"{path}?v={Convert.ToHexStringLower(SHA256.HashData(_content).AsSpan(0, 8))}";
    }

    public string Path { get; }

    public string Address { get; }

    public Task Respond(HttpContext http)
    {
        http.Response.ContentType = _type;
        http.Response.Headers.CacheControl = "public, max-age=31536000, immutable";
        http.Response.ContentLength = _content.Length;
        return http.Response.BodyWriter.WriteAsync(_content, http.RequestAborted).AsTask();
    }
}
