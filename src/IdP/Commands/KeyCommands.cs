using System.CommandLine;
using IdP.ApiKeys;
using IdP.Clients;
using IdP.Keys;
using IdP.Outbox;
using IdP.Protocol;
using IdP.Resources;
using IdP.Storage;
using IdP.Upstream;
using Microsoft.EntityFrameworkCore;

namespace IdP.Commands;

/// <summary>keys list, rotate, revoke, reseal.</summary>
internal static class KeyCommands
{
    public static Command Build() => new("keys", "Keys that sign tokens, seal opaque tokens and hash secrets") { List(), Rotate(), Revoke(), Reseal() };

    private static Command List()
    {
        var command = new Command("list", "List the keys; their private parts are nobody's to see.\n\nExample: IdP keys list");
        command.SetAction((parsed, ct) => CommandHost.Run(parsed, async context =>
        {
            await using var db = context.Get<Database>().OpenForReading();
            var now = context.Get<TimeProvider>().GetUtcNow();
            var keys = (await db.Set<StoredKey>().OrderBy(k => k.Purpose).ThenBy(k => k.Algorithm).ThenBy(k => k.Number).ToListAsync(ct)).ConvertAll(key => View.Of(key, now));
            context.Print(keys, Show(keys));
        }, ct));
        return command;
    }

    private static Command Rotate()
    {
        var algorithm = new Option<string?>("--algorithm") { Description = "Algorithm of the keys (default: all that sign tokens)", HelpName = "ALGORITHM" };
        var command = new Command("rotate",
            "Make the next keys now. A signing key takes over after a day, when every API has fetched it; the old one stays until its last token has expired.\n\nExample: IdP keys rotate --algorithm ES256") { algorithm };
        command.SetAction((parsed, ct) => CommandHost.Run(parsed, async context =>
        {
            var (masters, now, asked) = (context.Get<KeyRing>().Masters, context.Get<TimeProvider>().GetUtcNow(), parsed.GetValue(algorithm));
            var made = await context.Change(async db =>
            {
                await ServerState.TakeTurn(db, ct);
                var kinds = await db.Set<StoredKey>().Where(k => k.RevokedAt == null && k.Purpose != KeyPurpose.Pairwise).Select(k => new { k.Purpose, k.Algorithm }).Distinct().ToListAsync(ct);
                var due = kinds.Where(kind => asked is null ? kind.Purpose == KeyPurpose.Sign : kind.Algorithm == asked).ToList();
                if (due.Count == 0)
                    throw ChangeRefusedException.NotFound($"There is no key for {PlainText.Quoted(asked ?? "")}: use {string.Join(", ", kinds.Select(k => k.Algorithm).Distinct().Order(StringComparer.Ordinal))}.");
                var keys = new List<StoredKey>();
                foreach (var kind in due) keys.Add((await KeyStatements.Rotate(db, masters, kind.Purpose, kind.Algorithm, now, ct))!);
                return keys;
            });
            var views = made.ConvertAll(key => View.Of(key, now));
            context.Print(views, $"Made:{Environment.NewLine}{Show(views)}");
        }, ct));
        return command;
    }

    private static Command Revoke()
    {
        var kid = new Argument<string>("KID") { Description = "The key's id, from 'IdP keys list'" };
        var command = new Command("revoke", "End a key that others may know, and every token that it signed or sealed; it is done when the command returns.\n\nExample: IdP keys revoke KID") { kid };
        command.SetAction((parsed, ct) => CommandHost.Run(parsed, async context =>
        {
            var (id, now) = (parsed.GetRequiredValue(kid), context.Get<TimeProvider>().GetUtcNow());
            var changed = await context.Change(db => Revoke(db, context.Get<KeyRing>().Masters, id, now, ct));
            await context.Propagate();
            context.Print(new { Kid = id, Revoked = true, Changed = changed }, changed ? $"Revoked the key {id}; its tokens have ended here." : $"The key {id} was revoked already.");
            if (changed) context.Note("APIs that check tokens by themselves trust the key until they fetch the key set again.");
        }, ct));
        return command;
    }

    private static async Task<bool> Revoke(IdpDbContext db, MasterKeys masters, string id, DateTimeOffset now, CancellationToken ct)
    {
        await ServerState.TakeTurn(db, ct);
        var key = await db.Set<StoredKey>().AsTracking().SingleOrDefaultAsync(k => k.KeyId == id, ct) ??
            throw ChangeRefusedException.NotFound($"There is no key {PlainText.Quoted(id)}: 'IdP keys list' shows them.");
        if (key.RevokedAt is not null) return false;
        if (key.Purpose == KeyPurpose.Pairwise)
            throw ChangeRefusedException.Invalid("The key of pairwise subjects cannot be revoked: everybody would be somebody else to the clients that know them by it.");
        if (key.Purpose == KeyPurpose.SealStored && (await Stored(db, ct)).Count(text => Sealer.KeyIdOf(text) == id) is var sealedTexts and > 0)
            throw ChangeRefusedException.Conflict(
                $"{sealedTexts} secret(s) in the database are sealed with the key {id} and would be lost: run 'IdP keys rotate --algorithm {key.Algorithm}', replace those secrets, and then revoke it.");
        // A revoked key would leave these secrets without anything to be checked by.
        if (await db.Set<ClientSecret>().CountAsync(s => s.KeyId == id, ct) is var secrets and > 0)
            throw ChangeRefusedException.Conflict(
                $"{secrets} client secret(s) are hashed with the key {id}: run 'IdP keys rotate --algorithm {key.Algorithm}', replace those secrets with 'IdP client secret', and then revoke it.");
        if (await db.Set<ApiKey>().CountAsync(k => k.RevokedAt == null && k.ExpiresAt > now && (k.HashKeyId == id || (k.PreviousHashKeyId == id && k.PreviousEndsAt > now)), ct) is var apiKeys and > 0)
            throw ChangeRefusedException.Conflict(
                $"{apiKeys} API key(s) are hashed with the key {id}: run 'IdP keys rotate --algorithm {key.Algorithm}', then 'IdP api-key rotate' or 'IdP api-key revoke' for each, and then revoke it.");
        await KeyStatements.Revoke(db, masters, key, now, ct);
        return true;
    }

    /// <summary>Everything that stands in the database sealed for long, or until it is sent.</summary>
    private static async Task<List<string>> Stored(IdpDbContext db, CancellationToken ct) =>
    [
        .. await db.Set<UpstreamProvider>().Where(p => p.SealedSecret != null).Select(p => p.SealedSecret!).ToListAsync(ct),
        .. await db.Set<Resource>().Where(r => r.SealedSecret != null).Select(r => r.SealedSecret!).ToListAsync(ct),
        .. await db.Set<OutboxItem>().Where(o => o.Kind == OutboxItem.Mail).Select(o => o.Payload).ToListAsync(ct),
    ];

    private static Command Reseal()
    {
        var command = new Command("reseal", "Seal every key with the first of the configured master keys; afterwards the others are not needed.\n\nExample: IdP keys reseal");
        command.SetAction((parsed, ct) => CommandHost.Run(parsed, async context =>
        {
            var resealed = await context.Change(db => KeyStatements.Reseal(db, context.Get<KeyRing>().Masters, context.Get<TimeProvider>().GetUtcNow(), ct));
            context.Print(new { Resealed = resealed }, resealed == 0 ? "Every key is sealed with the first master key already." : $"Sealed {resealed} key(s) with the first master key.");
        }, ct));
        return command;
    }

    private static string Show(List<View> keys) => Table.Of(
        ["KID", "PURPOSE", "ALGORITHM", "STATE", "CREATED", "ACTIVE FROM", "ACTIVE UNTIL", "REVOKED"],
        keys.ConvertAll(k => new[]
        {
            k.Kid, k.Purpose, k.Algorithm, k.State, Table.Time(k.CreatedAt), Table.Time(k.ActiveFrom), Table.Time(k.ActiveUntil), Table.Time(k.RevokedAt),
        }));

    private sealed record View(string Kid, string Purpose, string Algorithm, string State, DateTimeOffset CreatedAt, DateTimeOffset ActiveFrom, DateTimeOffset? ActiveUntil, DateTimeOffset? RevokedAt)
    {
        public static View Of(StoredKey key, DateTimeOffset now) => new(key.KeyId, PurposeOf(key), key.Algorithm, StateOf(key, now), key.CreatedAt, key.ActiveFrom, key.ActiveUntil, key.RevokedAt);

        private static string PurposeOf(StoredKey key) => key.Purpose switch
        {
            KeyPurpose.Sign => "sign",
            KeyPurpose.SealToken => "seal",
            KeyPurpose.SealPage => "page",
            KeyPurpose.Pairwise => "pairwise",
            KeyPurpose.Handle => "handle",
            KeyPurpose.SealStored => "store",
            _ => "hash",
        };

        private static string StateOf(StoredKey key, DateTimeOffset now) =>
            key.RevokedAt is not null ? "revoked" : key.ActiveFrom > now ? "next" : key.ActiveUntil is { } until && until <= now ? "retiring" : "active";
    }
}
