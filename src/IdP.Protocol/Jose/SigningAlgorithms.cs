namespace IdP.Protocol.Jose;

/// <summary>The signature algorithms (RFC 7518 §3.1) that this code signs with and verifies. There are no others: neither <c>none</c> nor a MAC.</summary>
public static class SigningAlgorithms
{
    /// <summary>ECDSA on P-256 with SHA-256.</summary>
    public const string ES256 = "ES256";

    /// <summary>RSASSA-PKCS1-v1_5 with SHA-256.</summary>
    public const string RS256 = "RS256";

    /// <summary>RSASSA-PSS with SHA-256, MGF1 with SHA-256 and a salt of 32 bytes.</summary>
    public const string PS256 = "PS256";

    /// <summary>All three, in the order of preference.</summary>
    public static IReadOnlyList<string> All { get; } = [ES256, RS256, PS256];

    /// <summary>Whether the name is one of the three; names are case-sensitive.</summary>
    public static bool IsSupported(string? algorithm) => algorithm is ES256 or RS256 or PS256;
}
