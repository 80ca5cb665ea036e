using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using IdP.Http;
using IdP.Keys;
using IdP.Protocol;
using IdP.Protocol.Jose;
using IdP.Resources;

namespace IdP.Tokens;

/// <summary>Makes tokens from an authorization: JWTs per RFC 9068, or opaque ones with the same claims where the resource asks for them.</summary>
internal sealed class TokenIssuer(KeyRing keys, SharedSecrets sharedSecrets, OpaqueTokens opaque, IdTokens idTokens, Issuer issuer, TimeProvider clock)
{
    public TokenResponse Issue(Authorization authorization)
    {
        var now = clock.GetUtcNow().ToUnixTimeSeconds();
        var lifetime = (int)authorization.AccessTokenLifetime.TotalSeconds;
        var jwtId = NewJwtId();
        var scope = string.Join(' ', authorization.Granted.Scopes);
        var claims = new ArrayBufferWriter<byte>(512);
        using (var writer = new Utf8JsonWriter(claims)) Write(writer, authorization, scope, jwtId, now, now + lifetime);

        var api = authorization.Granted.Api;
        var token = api is { TokenFormat: TokenFormat.Opaque } ? opaque.Seal(claims.WrittenSpan)
            : api is { SharesSecret: true } ? sharedSecrets.Of(api).Sign(claims.WrittenSpan)
            : keys.Signer(api?.Algorithm ?? SigningAlgorithms.ES256).Sign(AccessTokenRules.Type, claims.WrittenSpan);
        var idToken = authorization.SignIn is { } facts ? idTokens.Make(authorization.Client, authorization.Subject, facts, token) : null;
        return new TokenResponse(token, lifetime, scope, authorization.RefreshToken, idToken);
    }

    // RFC 9068 §2.2, and what ties the token to what may be revoked: the grant, or the client's generation.
    private void Write(Utf8JsonWriter writer, Authorization authorization, string scope, string jwtId, long now, long expires)
    {
        writer.WriteStartObject();
        writer.WriteString("iss"u8, issuer.Value);
        writer.WriteString("sub"u8, authorization.Subject);
        AccessTokenClaims.WriteAudience(writer, authorization.Granted.Audience);
        writer.WriteString("client_id"u8, authorization.Client.ClientId);
        writer.WriteString("scope"u8, scope);
        writer.WriteNumber("iat"u8, now);
        writer.WriteNumber("exp"u8, expires);
        writer.WriteString("jti"u8, jwtId);
        if (authorization.GrantId is { } grant)
        {
            writer.WriteString(AccessTokenClaims.GrantIdName, grant.ToString("N"));
            writer.WriteNumber("auth_time"u8, authorization.AuthenticatedAt!.Value.ToUnixTimeSeconds());
            if (authorization.Acr is { } acr) writer.WriteString("acr"u8, acr);
        }
        else writer.WriteNumber(AccessTokenClaims.GenerationName, authorization.Client.Generation);
        authorization.Rights.Write(writer);
        writer.WriteEndObject();
    }

    private static string NewJwtId()
    {
        Span<byte> bytes = stackalloc byte[16];
        RandomNumberGenerator.Fill(bytes);
        return Base64Url.EncodeToString(bytes);
    }
}
