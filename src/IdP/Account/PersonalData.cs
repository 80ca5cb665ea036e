using System.Text.Json;
using IdP.Accounts;
using IdP.ApiKeys;
using IdP.Audit;
using IdP.Clients;
using IdP.Consents;
using IdP.Grants;
using IdP.Http;
using IdP.Passkeys;
using IdP.Roles;
using IdP.SecondFactors;
using IdP.Sessions;
using IdP.Storage;
using IdP.Upstream;
using IdP.UserInfo;
using Microsoft.EntityFrameworkCore;

namespace IdP.Account;

/// <summary>
/// All that is stored of one person, as they may have it (GDPR Article 15 and 20): what is named here and nothing else, so that no secret can
/// slip in. Whoever stores more of people adds a part.
/// </summary>
internal sealed class PersonalData(Database database, Issuer issuer, TimeProvider clock)
{
    /// <summary>The newest of them; the trail may be very long.</summary>
    private const int MostEvents = 10_000;

    private static readonly (Type Stored, string Name, Func<IdpDbContext, Guid, CancellationToken, Task<object>> Read)[] Parts =
    [
        (typeof(UserRole), "roles", async (db, id, ct) => await db.Set<UserRole>().Where(r => r.UserId == id).Join(db.Set<Role>(), held => held.RoleId, role => role.Id, (_, role) => role.Name).Order().ToListAsync(ct)),
        (typeof(UpstreamLogin), "accounts_elsewhere", async (db, id, ct) => await db.Set<UpstreamLogin>().Where(l => l.UserId == id)
            .Join(db.Set<UpstreamProvider>(), l => l.ProviderId, p => p.Id, (l, p) => new { provider = p.Issuer, l.Subject, l.Label, l.CreatedAt, l.LastUsedAt }).ToListAsync(ct)),
        (typeof(Session), "sessions", async (db, id, ct) => await db.Set<Session>().Where(s => s.UserId == id).OrderBy(s => s.Id)
            .Select(s => new { s.Id, s.CreatedAt, s.AuthenticatedAt, s.LastUsedAt, s.EndedAt, ExpiresAt = s.AbsoluteExpiresAt, s.Acr, s.Amr, s.Address, s.Browser }).ToListAsync(ct)),
        (typeof(Consent), "consents", async (db, id, ct) => await db.Set<Consent>().Where(c => c.UserId == id)
            .Join(db.Set<Client>(), c => c.ClientKey, c => c.Id, (consent, client) => new { client.ClientId, consent.Items, consent.GivenAt }).ToListAsync(ct)),
        (typeof(Grant), "grants", async (db, id, ct) => await db.Set<Grant>().Where(g => g.UserId == id).OrderBy(g => g.Id)
            .Join(db.Set<Client>(), g => g.ClientKey, c => c.Id, (g, client) => new { g.Id, client.ClientId, g.Scope, Resource = g.ResourceIdentifier, g.State, g.Origin, g.CreatedAt, g.ExpiresAt, g.RevokedAt }).ToListAsync(ct)),
        (typeof(Passkey), "passkeys", async (db, id, ct) => await db.Set<Passkey>().Where(p => p.UserId == id).OrderBy(p => p.Id)
            .Select(p => new { p.Id, p.Name, p.Transports, p.IsBackupEligible, p.IsBackedUp, p.CreatedAt, p.LastUsedAt }).ToListAsync(ct)),
        (typeof(Authenticator), "authenticators", async (db, id, ct) => await db.Set<Authenticator>().Where(a => a.UserId == id).Select(a => new { a.CreatedAt }).ToListAsync(ct)),
        (typeof(RecoveryCode), "recovery_codes", async (db, id, ct) => new { Left = await db.Set<RecoveryCode>().CountAsync(c => c.UserId == id, ct) }),
        (typeof(ApiKey), "api_keys", async (db, id, ct) => (await ApiKeyStatements.WithScopes(db.Set<ApiKey>().Where(k => k.UserId == id)).OrderBy(k => k.Id).ToListAsync(ct))
            .ConvertAll(k => new { Id = k.KeyId, k.Name, Resource = k.Resource!.Identifier, Scopes = k.ScopeNames.ToList(), k.CreatedAt, k.ExpiresAt, k.LastUsedAt, k.RevokedAt })),
        (typeof(MailLink), "links_in_mails", async (db, id, ct) => await db.Set<MailLink>().Where(l => l.UserId == id).Select(l => new { l.Purpose, l.Email, l.ExpiresAt }).ToListAsync(ct)),
        (typeof(AuditEvent), "events", async (db, id, ct) => await db.Set<AuditEvent>().Where(e => e.UserId == id).OrderByDescending(e => e.Id).Take(MostEvents)
            .Select(e => new { e.At, e.Type, e.Actor, e.Target, e.Address, e.Details }).ToListAsync(ct)),
    ];

    private static readonly JsonSerializerOptions Format = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true };

    /// <summary>The kinds of rows that are in it, besides the account itself.</summary>
    public static IEnumerable<Type> Covered => Parts.Select(part => part.Stored);

    /// <summary>The document, as JSON in UTF-8. That it was made is an event, for somebody else may have asked for it.</summary>
    public async Task<byte[]> Export(User user, string address, CancellationToken ct)
    {
        await database.Write(async db =>
        {
            AuditEvent.Record(db, clock.GetUtcNow(), new DataDownloaded(), $"user:{user.Subject}", $"user:{user.Subject}", address);
            await db.SaveChangesAsync(ct);
        }, ct);
        using var buffer = new MemoryStream();
        await using var db = database.OpenForReading();
        await using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            writer.WriteStartObject();
            writer.WriteString("issuer"u8, issuer.Value);
            writer.WriteString("made_at"u8, clock.GetUtcNow().UtcDateTime);
            writer.WriteStartObject("account"u8);
            writer.WriteString("sub"u8, user.Subject);
            UserClaims.Write(writer, user, UserClaims.Names);
            writer.WriteString("created_at"u8, user.CreatedAt.UtcDateTime);
            writer.WriteBoolean("has_password"u8, PasswordOfPerson.Has(user));
            writer.WriteEndObject();
            foreach (var (_, name, read) in Parts)
            {
                writer.WritePropertyName(name);
                JsonSerializer.Serialize(writer, await read(db, user.Id, ct), Format);
            }
            writer.WriteEndObject();
        }
        return buffer.ToArray();
    }
}
