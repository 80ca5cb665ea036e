using System.Security.Cryptography;
using IdP.Clients;
using IdP.Protocol.OAuth;
using IdP.Storage;

namespace IdP.Grants;

/// <summary>Who gets refresh tokens, how long they live, and what they are.</summary>
internal sealed class RefreshTokens(Handles handles, IdpOptions options)
{
    private const int First = 1;

    /// <summary>
    /// OpenID Connect Core §11: only when offline_access was asked for and granted, and only for a client that may use them. A client may
    /// be set to get them without, for as long as the session lasts.
    /// </summary>
    public static bool AreDue(Client client, IEnumerable<string> scopes, bool hasSession) =>
        client.MayUse(GrantNames.RefreshToken) && ((scopes.Contains("offline_access") && client.Scopes.Contains("offline_access")) || (hasSession && client.SessionRefreshTokens));

    /// <summary>Gives a new grant its first refresh token.</summary>
    public string Begin(Grant grant, DateTimeOffset now)
    {
        grant.Generation = First;
        grant.RotatedAt = now;
        grant.AbsoluteExpiresAt = now.AddDays(options.Tokens.RefreshAbsoluteDays);
        grant.IdleExpiresAt = IdleExpiry(now, grant.AbsoluteExpiresAt.Value);
        grant.ExpiresAt = Instant.Later(grant.ExpiresAt, grant.IdleExpiresAt.Value);
        return Text(grant.Id, First, grant.Seed);
    }

    public string Text(Guid grantId, int generation, byte[] seed) => handles.Make(HandleKind.RefreshToken, grantId, generation, seed);

    public DateTimeOffset IdleExpiry(DateTimeOffset now, DateTimeOffset absolute)
    {
        var idle = now.AddDays(options.Tokens.RefreshIdleDays);
        return idle < absolute ? idle : absolute;
    }

    /// <summary>The grant and generation of a refresh token of ours, with its proof still to be checked.</summary>
    public HandleBody? Open(string text) => handles.Open(text) is { Kind: HandleKind.RefreshToken } body ? body : null;

    public static bool Proves(HandleBody body, byte[] seed) => body.Proof == Proof.Of(seed, body.Kind, body.GrantId, body.Generation);

    public static byte[] NewSeed() => RandomNumberGenerator.GetBytes(32);
}
