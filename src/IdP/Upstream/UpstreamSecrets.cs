using System.Text;
using IdP.Keys;

namespace IdP.Upstream;

/// <summary>What this provider proves itself with at the others, sealed at rest and bound to whom it is for.</summary>
internal sealed class UpstreamSecrets(Sealer sealer)
{
    private const string Use = "idp upstream secret";

    public string Seal(string issuer, string clientId, string secret) =>
        sealer.Seal(KeyPurpose.SealStored, Use, Encoding.UTF8.GetBytes(secret), BoundTo(issuer, clientId));

    /// <summary>The secret; null for a client that has none, or whose seal does not open any more.</summary>
    public string? Open(UpstreamProvider provider) => provider.SealedSecret is { } text && sealer.Open(KeyPurpose.SealStored, Use, text, BoundTo(provider.Issuer, provider.ClientId)) is { } opened
        ? Encoding.UTF8.GetString(opened.Content)
        : null;

    private static byte[] BoundTo(string issuer, string clientId) => Encoding.UTF8.GetBytes($"{issuer.Length} {issuer} {clientId}");
}
