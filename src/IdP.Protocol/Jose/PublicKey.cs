using System.Security.Cryptography;
using System.Text.Json;

namespace IdP.Protocol.Jose;

/// <summary>The public half of a key in the terms of RFC 7518 §6: EC has x and y, RSA has n and e.</summary>
internal sealed class PublicKey
{
    public const int MinimumRsaBits = 2048;
    public const int MaximumRsaBits = 8192;
    public const int CoordinateBytes = 32;

    private PublicKey(byte[] first, byte[] second, bool isElliptic) => (First, Second, IsElliptic) = (first, second, isElliptic);

    public bool IsElliptic { get; }

    /// <summary>x or n.</summary>
    public byte[] First { get; }

    /// <summary>y or e.</summary>
    public byte[] Second { get; }

    public int SignatureLength => IsElliptic ? 2 * CoordinateBytes : First.Length;

    public static PublicKey FromEcdsa(ECDsa key)
    {
        var parameters = key.ExportParameters(includePrivateParameters: false);
        if (!IsP256(parameters.Curve)) throw new CryptographicException("The key is not on the curve P-256.");
        return new PublicKey(parameters.Q.X!, parameters.Q.Y!, isElliptic: true);
    }

    public static PublicKey FromRsa(RSA key)
    {
        if (key.KeySize is < MinimumRsaBits or > MaximumRsaBits)
            throw new CryptographicException($"An RSA key has {MinimumRsaBits} to {MaximumRsaBits} bits here, not {key.KeySize}.");
        var parameters = key.ExportParameters(includePrivateParameters: false);
        return new PublicKey(parameters.Modulus!, parameters.Exponent!, isElliptic: false);
    }

    /// <returns>Null if the point is not on the curve or the RSA numbers are out of range.</returns>
    public static PublicKey? TryCreate(byte[] first, byte[] second, bool isElliptic)
    {
        if (isElliptic ? first.Length != CoordinateBytes || second.Length != CoordinateBytes : !IsPlausibleRsa(first, second)) return null;
        var key = new PublicKey(first, second, isElliptic);
        try
        {
            // The import checks that the point is on the curve (RFC 8725 §3.4).
            using AsymmetricAlgorithm imported = isElliptic ? key.ImportEcdsa() : key.ImportRsa();
            return key;
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    public ECDsa ImportEcdsa() => ECDsa.Create(new ECParameters
    {
        Curve = ECCurve.NamedCurves.nistP256,
        Q = new ECPoint { X = First, Y = Second },
    });

    public RSA ImportRsa() => RSA.Create(new RSAParameters { Modulus = First, Exponent = Second });

    // RFC 7638 §3.2: only the required members, in lexical order, no white space.
    public string Thumbprint()
    {
        var (first, second) = (CanonicalBase64Url.Encode(First), CanonicalBase64Url.Encode(Second));
        var json = IsElliptic
            ? $$"""{"crv":"P-256","kty":"EC","x":"{{first}}","y":"{{second}}"}"""
            : $$"""{"e":"{{second}}","kty":"RSA","n":"{{first}}"}""";
        return CanonicalBase64Url.Encode(SHA256.HashData(System.Text.Encoding.ASCII.GetBytes(json)));
    }

    public void WriteMembers(Utf8JsonWriter writer)
    {
        if (IsElliptic)
        {
            writer.WriteString("crv"u8, "P-256"u8);
            writer.WriteString("x"u8, CanonicalBase64Url.Encode(First));
            writer.WriteString("y"u8, CanonicalBase64Url.Encode(Second));
        }
        else
        {
            writer.WriteString("n"u8, CanonicalBase64Url.Encode(First));
            writer.WriteString("e"u8, CanonicalBase64Url.Encode(Second));
        }
    }

    // Some platforms name the curve, some give its object identifier.
    private static bool IsP256(ECCurve curve) =>
        curve.IsNamed && (curve.Oid.Value == "1.2.840.10045.3.1.7" || curve.Oid.FriendlyName is "nistP256" or "ECDSA_P256");

    // RFC 7518 §3.3: 2048 bits or more, §6.3.1: no leading zero octet. Upper bounds keep a verification cheap.
    private static bool IsPlausibleRsa(byte[] modulus, byte[] exponent)
    {
        if (modulus.Length is < MinimumRsaBits / 8 or > MaximumRsaBits / 8 || exponent.Length is < 1 or > 4) return false;
        var bits = (modulus.Length * 8) - (modulus[0] == 0 ? 8 : int.LeadingZeroCount(modulus[0]) - 24);
        if (modulus[0] == 0 || bits < MinimumRsaBits || (modulus[^1] & 1) == 0) return false;
        return exponent[0] != 0 && (exponent[^1] & 1) == 1 && (exponent.Length > 1 || exponent[0] >= 3);
    }
}
