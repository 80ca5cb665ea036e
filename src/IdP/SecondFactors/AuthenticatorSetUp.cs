using System.Security.Cryptography;
using System.Text;
using IdP.Accounts;
using IdP.Http;
using IdP.Protocol;
using IdP.Ui;
using Microsoft.AspNetCore.Html;
using QRCoder;

namespace IdP.SecondFactors;

/// <summary>What the page shows of a new authenticator.</summary>
internal sealed record SetUpView(string Secret, IHtmlContent Picture, string Address, string Sealed);

/// <summary>
/// Offers a new secret and takes it back with the first code. It travels sealed in the form, for this browser and this person, and is
/// stored when the app has shown that it knows it: nobody reads it again afterwards.
/// </summary>
internal sealed class AuthenticatorSetUp(BrowserSeal seal, Issuer issuer, TimeProvider clock)
{
    private const string Use = "idp new authenticator";
    private static readonly TimeSpan Life = TimeSpan.FromMinutes(15);

    public SetUpView Offer(HttpContext http, User user) => View(http, user, new NewAuthenticator(RandomNumberGenerator.GetBytes(OneTimePassword.SecretLength)));

    /// <summary>The same secret once more, after a wrong code.</summary>
    public SetUpView View(HttpContext http, User user, NewAuthenticator authenticator)
    {
        // The format that authenticator apps have agreed on; what is missing is as they assume.
        var label = Uri.EscapeDataString($"{issuer.Host}:{user.UserName}");
        var address = $"otpauth://totp/{label}?secret={authenticator.Text}&issuer={Uri.EscapeDataString(issuer.Host)}";
        var grouped = string.Join(' ', authenticator.Text.Chunk(4).Select(group => new string(group)));
        return new SetUpView(grouped, Draw(address), address, seal.Seal(http, Use, [.. Encoding.ASCII.GetBytes($"{user.Subject}{clock.GetUtcNow().ToUnixTimeMilliseconds():D15}"), .. authenticator.Secret]));
    }

    /// <summary>Null for what was made for another browser or person, or too long ago.</summary>
    public NewAuthenticator? Open(HttpContext http, User user, string? sealedText)
    {
        const int head = 32 + 15;
        if (seal.Open(http, Use, sealedText) is not { Length: > head } opened || Encoding.ASCII.GetString(opened.AsSpan(0, 32)) != user.Subject) return null;
        var at = long.Parse(Encoding.ASCII.GetString(opened.AsSpan(32, 15)));
        return clock.GetUtcNow().ToUnixTimeMilliseconds() - at < Life.TotalMilliseconds ? new NewAuthenticator(opened[head..]) : null;
    }

    // One path of squares: no style attribute, which the page's policy would refuse.
    private static HtmlString Draw(string text)
    {
        using var generator = new QRCodeGenerator();
        using var code = generator.CreateQrCode(text, QRCodeGenerator.ECCLevel.M);
        var size = code.ModuleMatrix.Count;
        var path = new StringBuilder();
        for (var y = 0; y < size; y++)
            for (var x = 0; x < size; x++)
                if (code.ModuleMatrix[y][x]) path.Append($"M{x} {y}h1v1h-1z");
        return new HtmlString($"""<svg class="qr" viewBox="0 0 {size} {size}" role="img" aria-labelledby="qr-title" shape-rendering="crispEdges"><title id="qr-title">QR</title><rect width="{size}" height="{size}" fill="#fff"/><path fill="#000" d="{path}"/></svg>""");
    }
}
