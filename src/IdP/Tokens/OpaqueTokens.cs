using IdP.Keys;

namespace IdP.Tokens;

/// <summary>Access tokens that only this provider can read: the claims of a JWT, sealed (<see cref="Sealer"/>).</summary>
internal sealed class OpaqueTokens(Sealer sealer)
{
    private const string Use = "idp opaque access token";

    public string Seal(ReadOnlySpan<byte> claims) => sealer.Seal(KeyPurpose.SealToken, Use, claims);

    /// <summary>The claims and the key that sealed them; null for anything but the exact text of a token of ours.</summary>
    public (string KeyId, byte[] Claims)? Open(string text) => sealer.Open(KeyPurpose.SealToken, Use, text);
}
