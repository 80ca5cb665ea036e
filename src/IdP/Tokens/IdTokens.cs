using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using IdP.Accounts;
using IdP.Clients;
using IdP.Http;
using IdP.Keys;
using IdP.Protocol.Jose;
using IdP.Roles;
using IdP.Sessions;
using IdP.UserInfo;

namespace IdP.Tokens;

/// <summary>What an ID token says of a sign-in.</summary>
internal sealed record SignInFacts(DateTimeOffset AuthenticatedAt, string? Acr, string? Amr, Guid? SessionId)
{
    /// <summary>As the client sent it; null leaves the claim out.</summary>
    public string? Nonce { get; init; }

    /// <summary>Claims that the client asked for by name, and the person whose they are. None unless it asked.</summary>
    public IReadOnlyCollection<string> RequestedClaims { get; init; } = [];
    public User? Person { get; init; }
    public Rights Rights { get; init; } = Rights.None;
}

/// <summary>Makes ID tokens (OpenID Connect Core §2), and reads those that come back as hints.</summary>
internal sealed class IdTokens(KeyRing keys, Issuer issuer, IdpOptions options, TimeProvider clock)
{
    /// <summary>Our ID tokens say what they are; an access token, whose type is another, is never taken for one.</summary>
    public const string Type = "JWT";

    public string Make(Client client, string subject, SignInFacts facts, string accessToken)
    {
        var now = clock.GetUtcNow().ToUnixTimeSeconds();
        var claims = new ArrayBufferWriter<byte>(512);
        using (var writer = new Utf8JsonWriter(claims))
        {
            writer.WriteStartObject();
            writer.WriteString("iss"u8, issuer.Value);
            writer.WriteString("sub"u8, subject);
            writer.WriteString("aud"u8, client.ClientId);
            writer.WriteNumber("iat"u8, now);
            writer.WriteNumber("exp"u8, now + options.Tokens.IdTokenLifetimeSeconds);
            writer.WriteNumber("auth_time"u8, facts.AuthenticatedAt.ToUnixTimeSeconds());
            if (facts.Nonce is { } nonce) writer.WriteString("nonce"u8, nonce);
            if (facts.Acr is { } acr) writer.WriteString("acr"u8, acr);
            if (facts.Amr is { } amr) writer.WriteList("amr", amr.Split(' '));
            if (facts.SessionId is { } session) writer.WriteString("sid"u8, Session.Sid(session));
            writer.WriteString("at_hash"u8, HalfHash(accessToken));
            if (facts.Person is { } person) UserClaims.Write(writer, person, facts.RequestedClaims);
            facts.Rights.Write(writer, facts.RequestedClaims);
            writer.WriteEndObject();
        }
        return keys.Signer(client.IdTokenAlgorithm).Sign(Type, claims.WrittenSpan);
    }

    /// <summary>The claims of an ID token of ours, expired or not; null for anything else.</summary>
    public JwtClaims? ReadHint(string token)
    {
        if (!SignedJwt.TryParse(token, out var jwt, out _) || jwt.Type != Type) return null;
        if (keys.Verifier(jwt.KeyId, jwt.Algorithm) is not { } key || !jwt.Verify(key)) return null;
        return jwt.Claims is { Subject: not null, ExpiresAt: not null } claims && claims.Issuer == issuer.Value ? claims : null;
    }

    // OpenID Connect Core §3.1.3.6: every algorithm that we sign with hashes with SHA-256.
    private static string HalfHash(string text)
    {
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(Encoding.ASCII.GetBytes(text), hash);
        return CanonicalBase64Url.Encode(hash[..16]);
    }
}
