using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace IdP.Testing;

/// <summary>The parameters of an authorization code flow, and its second half. A test changes what it is about.</summary>
internal sealed class CodeFlow
{
    public string ClientId { get; init; } = "web";
    public string RedirectUri { get; init; } = "https://web.test/callback";
    public string Scope { get; init; } = "openid";
    public string State { get; init; } = Random();
    public string? Nonce { get; init; } = Random();
    public string Verifier { get; init; } = Random();

    /// <summary>Further parameters of the authorization request, or others in place of the usual; null takes one out.</summary>
    public Dictionary<string, string?> With { get; init; } = [];

    public static string Random() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));

    public static string Challenge(string verifier) => Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(verifier)));

    public Dictionary<string, string> Parameters()
    {
        var parameters = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["client_id"] = ClientId,
            ["redirect_uri"] = RedirectUri,
            ["response_type"] = "code",
            ["scope"] = Scope,
            ["state"] = State,
            ["nonce"] = Nonce,
            ["code_challenge"] = Challenge(Verifier),
            ["code_challenge_method"] = "S256",
        };
        foreach (var (name, value) in With) parameters[name] = value;
        return parameters.Where(pair => pair.Value is not null).ToDictionary(pair => pair.Key, pair => pair.Value!, StringComparer.Ordinal);
    }

    /// <summary>Redeems a code as this client: with its secret, or without for a public one.</summary>
    public Task<Answer> Redeem(IdpServer server, string code, bool isPublic = false, params (string Name, string Value)[] more)
    {
        (string, string)[] form = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", RedirectUri), ("code_verifier", Verifier), .. more];
        return server.Post("/connect/token", isPublic ? null : ClientId, isPublic ? [.. form, ("client_id", ClientId)] : form);
    }
}
