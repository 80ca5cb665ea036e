using System.Buffers.Binary;
using System.Buffers.Text;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using IdP.Keys;
using IdP.Protocol.Jose;

namespace IdP.Grants;

internal enum HandleKind : byte
{
    RefreshToken = 1,
    Code = 2,
    PushedRequest = 3,
    SessionCookie = 4,
}

/// <summary>What a handle says: a grant and one of its generations. The proof is checked against the grant's seed once its row is read.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct HandleBody(HandleKind Kind, Guid GrantId, int Generation, Proof Proof);

/// <summary>The part of a handle that only who has the grant's row could have made.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct Proof(UInt128 Value)
{
    public static Proof Of(ReadOnlySpan<byte> seed, HandleKind kind, Guid grantId, int generation)
    {
        Span<byte> named = stackalloc byte[Handles.NamedLength];
        Handles.Name(named, kind, grantId, generation);
        Span<byte> mac = stackalloc byte[32];
        HMACSHA256.HashData(seed, named, mac);
        return new Proof(BinaryPrimitives.ReadUInt128BigEndian(mac));
    }
}

/// <summary>
/// Makes and opens handles. <c>body = kind | grant id | generation | proof</c>, <c>tag = HMAC(K_mac, version | key number | body)[16]</c>,
/// <c>handle = version | key number | tag | AES-256-CTR(K_enc, IV = tag, body)</c>, base64url. The tag is checked before the database is
/// asked, the proof after it: a stolen database or stolen keys alone make nothing. The text shows no structure, and the same generation
/// always gives the same text, so that a repeated request gets the same answer.
/// </summary>
internal sealed class Handles(KeyRing keys)
{
    public const int NamedLength = 1 + 16 + 4;
    private const byte Version = 2;
    private const int HeaderLength = 1 + 2;
    private const int TagLength = 16;
    private const int BodyLength = NamedLength + 16;
    private const int Length = HeaderLength + TagLength + BodyLength;
    private const int CipherLength = 48;
    private static readonly int TextLength = Base64Url.GetEncodedLength(Length);

    public static void Name(Span<byte> named, HandleKind kind, Guid grantId, int generation)
    {
        named[0] = (byte)kind;
        grantId.TryWriteBytes(named[1..], bigEndian: true, out _);
        BinaryPrimitives.WriteInt32BigEndian(named[17..], generation);
    }

    public string Make(HandleKind kind, Guid grantId, int generation, ReadOnlySpan<byte> seed)
    {
        var key = keys.HandleKey(number: null) ?? throw new Storage.StorageException("There is no key for handles.");
        Span<byte> body = stackalloc byte[BodyLength];
        Name(body, kind, grantId, generation);
        BinaryPrimitives.WriteUInt128BigEndian(body[NamedLength..], Proof.Of(seed, kind, grantId, generation).Value);

        Span<byte> handle = stackalloc byte[Length];
        handle[0] = Version;
        BinaryPrimitives.WriteUInt16BigEndian(handle[1..], (ushort)key.Number);
        Tag(key, handle[..HeaderLength], body, handle.Slice(HeaderLength, TagLength));
        Crypt(key, handle.Slice(HeaderLength, TagLength), body, handle[(HeaderLength + TagLength)..]);
        return Base64Url.EncodeToString(handle);
    }

    /// <summary>Null for anything but the exact text of a handle that we made.</summary>
    public HandleBody? Open(string text)
    {
        if (text.Length != TextLength) return null;
        Span<byte> handle = stackalloc byte[Length];
        if (!CanonicalBase64Url.TryDecode(text, handle, out var length) || length != Length || handle[0] != Version) return null;
        if (keys.HandleKey(BinaryPrimitives.ReadUInt16BigEndian(handle[1..])) is not { } key) return null;

        var tag = handle.Slice(HeaderLength, TagLength);
        Span<byte> body = stackalloc byte[BodyLength];
        Crypt(key, tag, handle[(HeaderLength + TagLength)..], body);
        Span<byte> expected = stackalloc byte[TagLength];
        Tag(key, handle[..HeaderLength], body, expected);
        if (!CryptographicOperations.FixedTimeEquals(tag, expected)) return null;
        return new HandleBody((HandleKind)body[0], new Guid(body.Slice(1, 16), bigEndian: true), BinaryPrimitives.ReadInt32BigEndian(body[17..]),
            new Proof(BinaryPrimitives.ReadUInt128BigEndian(body[NamedLength..])));
    }

    private static void Tag(HandleKey key, ReadOnlySpan<byte> header, ReadOnlySpan<byte> body, Span<byte> tag)
    {
        Span<byte> input = stackalloc byte[HeaderLength + BodyLength];
        header.CopyTo(input);
        body.CopyTo(input[HeaderLength..]);
        Span<byte> mac = stackalloc byte[32];
        HMACSHA256.HashData(key.Mac, input, mac);
        mac[..TagLength].CopyTo(tag);
    }

    // AES in counter mode: the tag is the first counter block, and being a MAC of the body it never repeats for another body.
    private static void Crypt(HandleKey key, ReadOnlySpan<byte> tag, ReadOnlySpan<byte> input, Span<byte> output)
    {
        Span<byte> stream = stackalloc byte[CipherLength];
        var counter = BinaryPrimitives.ReadUInt128BigEndian(tag);
        for (var i = 0; i < CipherLength; i += 16) BinaryPrimitives.WriteUInt128BigEndian(stream[i..], counter++);
        using var aes = Aes.Create();
        aes.Key = key.Encryption;
        aes.EncryptEcb(stream, stream, PaddingMode.None);
        for (var i = 0; i < input.Length; i++) output[i] = (byte)(input[i] ^ stream[i]);
    }
}
