using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json;
using IdP.Accounts;
using IdP.Clients;
using IdP.Http;
using IdP.Keys;
using IdP.Outbox;
using IdP.Protocol.Jose;
using IdP.Sessions;

namespace IdP.Logout;

/// <summary>Makes logout tokens (Back-Channel Logout §2.4).</summary>
internal sealed class LogoutTokens(KeyRing keys, Issuer issuer, Subjects subjects, TimeProvider clock)
{
    /// <summary>Its own type: a logout token is never taken for an ID token, nor the other way round (Back-Channel Logout §4.1).</summary>
    public const string Type = "logout+jwt";

    // Back-Channel Logout §4: a short time, preferably two minutes at most.
    private const int LifetimeSeconds = 120;

    public string Make(Client client, LogoutNotice notice)
    {
        var now = clock.GetUtcNow().ToUnixTimeSeconds();
        var claims = new ArrayBufferWriter<byte>(512);
        using (var writer = new Utf8JsonWriter(claims))
        {
            writer.WriteStartObject();
            writer.WriteString("iss"u8, issuer.Value);
            writer.WriteString("sub"u8, subjects.Of(notice.UserId, client));
            writer.WriteString("aud"u8, client.ClientId);
            writer.WriteNumber("iat"u8, now);
            writer.WriteNumber("exp"u8, now + LifetimeSeconds);
            writer.WriteString("jti"u8, CanonicalBase64Url.Encode(RandomNumberGenerator.GetBytes(16)));
            writer.WriteString("sid"u8, Session.Sid(notice.SessionId));
            writer.WriteStartObject("events"u8);
            writer.WriteStartObject("http://schemas.openid.net/event/backchannel-logout"u8);
            writer.WriteEndObject();
            writer.WriteEndObject();
            writer.WriteEndObject();
        }
        return keys.Signer(client.IdTokenAlgorithm).Sign(Type, claims.WrittenSpan);
    }
}
