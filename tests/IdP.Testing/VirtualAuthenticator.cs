using System.Buffers.Binary;
using System.Buffers.Text;
using System.Formats.Cbor;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace IdP.Testing;

/// <summary>A passkey of the virtual authenticator.</summary>
internal sealed class VirtualPasskey
{
    public byte[] Id { get; init; } = RandomNumberGenerator.GetBytes(32);
    public ECDsa Key { get; } = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    public byte[] UserHandle { get; set; } = [];

    /// <summary>Whether it may be copied; a copied one does not count.</summary>
    public bool IsBackupEligible { get; init; }
    public uint Count { get; set; }
}

/// <summary>What the authenticator and the browser say in one ceremony; a test changes what it is about.</summary>
internal sealed class Ceremony
{
    public required VirtualPasskey Passkey { get; set; }
    public required string Type { get; set; }
    public required string Challenge { get; set; }
    public required string Origin { get; set; }
    public bool? CrossOrigin { get; set; } = false;
    public string? TopOrigin { get; set; }
    public required string RpId { get; set; }
    public bool UserPresent { get; set; } = true;
    public bool UserVerified { get; set; } = true;
    public uint Count { get; set; }

    /// <summary>The handle in the answer; null leaves it out.</summary>
    public byte[]? UserHandle { get; set; }

    /// <summary>The id in the answer, if it is another than the passkey's.</summary>
    public byte[]? Id { get; set; }

    /// <summary>The key as COSE has it, when it is not the passkey's.</summary>
    public byte[]? CoseKey { get; set; }
    public byte[] Aaguid { get; set; } = new byte[16];
    public string Format { get; set; } = "none";

    /// <summary>Writes the attestation statement; it gets what is to be signed.</summary>
    public Action<CborWriter, byte[]>? Statement { get; set; }

    /// <summary>Changes the answer after everything was signed.</summary>
    public Action<JsonObject>? Afterwards { get; set; }
}

/// <summary>An authenticator with its browser, as far as a server sees them (WebAuthn §6, §5.1): answers in JSON to options in JSON.</summary>
internal sealed class VirtualAuthenticator(string origin, string rpId = "localhost")
{
    public string Create(string options, VirtualPasskey passkey, Action<Ceremony>? change = null)
    {
        var asked = JsonNode.Parse(options)!;
        passkey.UserHandle = Base64Url.DecodeFromChars(asked["user"]!["id"]!.GetValue<string>());
        var ceremony = Begin("webauthn.create", asked, passkey, change);
        var clientData = ClientData(ceremony);
        var data = AuthenticatorData(ceremony, isNew: true);
        var writer = new CborWriter(CborConformanceMode.Strict);
        writer.WriteStartMap(3);
        writer.WriteTextString("fmt");
        writer.WriteTextString(ceremony.Format);
        writer.WriteTextString("attStmt");
        if (ceremony.Statement is { } statement) statement(writer, [.. data, .. SHA256.HashData(clientData)]);
        else
        {
            writer.WriteStartMap(0);
            writer.WriteEndMap();
        }
        writer.WriteTextString("authData");
        writer.WriteByteString(data);
        writer.WriteEndMap();
        return Answer(ceremony, new JsonObject
        {
            ["clientDataJSON"] = Text(clientData),
            ["attestationObject"] = Text(writer.Encode()),
            ["transports"] = new JsonArray("internal"),
        });
    }

    public string Get(string options, VirtualPasskey passkey, Action<Ceremony>? change = null)
    {
        if (!passkey.IsBackupEligible) passkey.Count++;
        var ceremony = Begin("webauthn.get", JsonNode.Parse(options)!, passkey, change);
        var clientData = ClientData(ceremony);
        var data = AuthenticatorData(ceremony, isNew: false);
        var response = new JsonObject
        {
            ["clientDataJSON"] = Text(clientData),
            ["authenticatorData"] = Text(data),
            ["signature"] = Text(ceremony.Passkey.Key.SignData([.. data, .. SHA256.HashData(clientData)], HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence)),
        };
        if (ceremony.UserHandle is { } handle) response["userHandle"] = Text(handle);
        return Answer(ceremony, response);
    }

    /// <summary>A P-256 key as COSE has it (RFC 9053 §7.1), under any algorithm and curve that a test names.</summary>
    public static byte[] Cose(ECDsa key, int algorithm = -7, int curve = 1)
    {
        var point = key.ExportParameters(includePrivateParameters: false).Q;
        var writer = new CborWriter(CborConformanceMode.Strict);
        writer.WriteStartMap(5);
        Number(writer, 1, 2);
        Number(writer, 3, algorithm);
        Number(writer, -1, curve);
        Bytes(writer, -2, point.X!);
        Bytes(writer, -3, point.Y!);
        writer.WriteEndMap();
        return writer.Encode();
    }

    /// <summary>An RSA key as COSE has it (RFC 8230 §4).</summary>
    public static byte[] Cose(RSA key, int algorithm)
    {
        var parameters = key.ExportParameters(includePrivateParameters: false);
        var writer = new CborWriter(CborConformanceMode.Strict);
        writer.WriteStartMap(4);
        Number(writer, 1, 3);
        Number(writer, 3, algorithm);
        Bytes(writer, -1, parameters.Modulus!);
        Bytes(writer, -2, parameters.Exponent!);
        writer.WriteEndMap();
        return writer.Encode();
    }

    private Ceremony Begin(string type, JsonNode asked, VirtualPasskey passkey, Action<Ceremony>? change)
    {
        var ceremony = new Ceremony
        {
            Passkey = passkey,
            Type = type,
            Challenge = asked["challenge"]!.GetValue<string>(),
            Origin = origin,
            RpId = rpId,
            Count = passkey.Count,
            UserHandle = passkey.UserHandle,
        };
        change?.Invoke(ceremony);
        return ceremony;
    }

    private static byte[] ClientData(Ceremony ceremony)
    {
        var data = new JsonObject { ["type"] = ceremony.Type, ["challenge"] = ceremony.Challenge, ["origin"] = ceremony.Origin };
        if (ceremony.CrossOrigin is { } crossOrigin) data["crossOrigin"] = crossOrigin;
        if (ceremony.TopOrigin is { } topOrigin) data["topOrigin"] = topOrigin;
        return Encoding.UTF8.GetBytes(data.ToJsonString());
    }

    private static byte[] AuthenticatorData(Ceremony ceremony, bool isNew)
    {
        var passkey = ceremony.Passkey;
        var flags = (ceremony.UserPresent ? 0x01 : 0) | (ceremony.UserVerified ? 0x04 : 0) | (passkey.IsBackupEligible ? 0x18 : 0) | (isNew ? 0x40 : 0);
        var head = new byte[37];
        SHA256.HashData(Encoding.UTF8.GetBytes(ceremony.RpId), head);
        head[32] = (byte)flags;
        BinaryPrimitives.WriteUInt32BigEndian(head.AsSpan(33), ceremony.Count);
        if (!isNew) return head;
        var length = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)passkey.Id.Length);
        return [.. head, .. ceremony.Aaguid, .. length, .. passkey.Id, .. ceremony.CoseKey ?? Cose(passkey.Key)];
    }

    private static string Answer(Ceremony ceremony, JsonObject response)
    {
        var id = Text(ceremony.Id ?? ceremony.Passkey.Id);
        var answer = new JsonObject { ["id"] = id, ["rawId"] = id, ["type"] = "public-key", ["clientExtensionResults"] = new JsonObject(), ["response"] = response };
        ceremony.Afterwards?.Invoke(answer);
        return answer.ToJsonString();
    }

    private static string Text(byte[] bytes) => Base64Url.EncodeToString(bytes);

    private static void Number(CborWriter writer, int label, int value)
    {
        writer.WriteInt32(label);
        writer.WriteInt32(value);
    }

    private static void Bytes(CborWriter writer, int label, byte[] value)
    {
        writer.WriteInt32(label);
        writer.WriteByteString(value);
    }
}
