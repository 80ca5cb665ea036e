using System.Security.Cryptography;
using System.Text;
using IdP.Http;
using IdP.Keys;
using IdP.Protocol.Jose;

namespace IdP.Ui;

/// <summary>
/// Seals what one browser carries for us from page to page, and nobody else can read, make or use: it is bound to a cookie that the
/// browser gets with the first of it.
/// </summary>
internal sealed class BrowserSeal(Sealer sealer, Cookies cookies)
{
    private const int CookieLength = 22;

    public string Seal(HttpContext http, string use, ReadOnlySpan<byte> content)
    {
        var browser = Browser(http);
        if (browser is null)
        {
            browser = CanonicalBase64Url.Encode(RandomNumberGenerator.GetBytes(16));
            cookies.Set(http, Cookies.Browser, browser);
            http.Items[Cookies.Browser] = browser;
        }
        return sealer.Seal(KeyPurpose.SealPage, use, content, Encoding.ASCII.GetBytes(browser));
    }

    /// <summary>Null for anything but what was sealed for this use and this browser.</summary>
    public byte[]? Open(HttpContext http, string use, string? sealedText) =>
        sealedText is not null && Browser(http) is { } browser ? sealer.Open(KeyPurpose.SealPage, use, sealedText, Encoding.ASCII.GetBytes(browser))?.Content : null;

    private string? Browser(HttpContext http) =>
        http.Items[Cookies.Browser] as string ?? (cookies.Read(http, Cookies.Browser) is { Length: CookieLength } sent && sent.All(char.IsAscii) ? sent : null);
}
