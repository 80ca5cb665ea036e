using System.Security.Cryptography;
using System.Text.Json;
using IdP.Commands;
using IdP.Keys;
using Xunit;
using static IdP.Tests.Commands.Printed;

namespace IdP.Tests.Commands;

public sealed class KeyCommandsTests : IAsyncLifetime
{
    private readonly Cli _cli = new();

    public Task InitializeAsync() => _cli.InitializeAsync();

    public Task DisposeAsync()
    {
        _cli.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task A_new_database_has_one_active_key_of_each_kind()
    {
        var keys = await _cli.Json("keys", "list");

        Assert.Equal(["kid", "purpose", "algorithm", "state", "created_at", "active_from", "active_until", "revoked_at"], Names(keys[0]));
        Assert.Equal([("sign", "ES256", "active"), ("seal", "A256GCM", "active"), ("hash", "HS256", "active"), ("handle", "A256CTR-HS256", "active"), ("page", "A256GCM", "active"),
            ("pairwise", "A256ECB", "active"), ("store", "A256GCM", "active")], States(keys));
        var table = (await _cli.Done("keys", "list")).Output;
        Assert.All(keys.EnumerateArray(), key => Assert.Contains(Text(key, "kid")!, table, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Rotate_makes_the_next_signing_keys_and_leaves_the_old_ones_active_until_then()
    {
        await _cli.Done("resource", "add", "urn:rsa:api", "--algorithm", "RS256");

        var made = await _cli.Json("keys", "rotate");
        Assert.Equal([("sign", "ES256", "next"), ("sign", "RS256", "next")], States(made).Order());
        var all = (await _cli.Json("keys", "list")).EnumerateArray().Where(key => Text(key, "algorithm") == "ES256").ToList();
        Assert.Equal(["active", "next"], all.Select(key => Text(key, "state")));
        Assert.Equal(all[1].GetProperty("active_from").GetDateTimeOffset(), all[0].GetProperty("active_until").GetDateTimeOffset());
        // A day, so that every API has fetched the key set before the key is used.
        Assert.InRange(all[1].GetProperty("active_from").GetDateTimeOffset() - all[1].GetProperty("created_at").GetDateTimeOffset(), TimeSpan.FromHours(24), TimeSpan.FromHours(25));
    }

    [Fact]
    public async Task Rotate_takes_one_algorithm_and_knows_which_there_are()
    {
        Assert.Equal([("hash", "HS256", "active")], States(await _cli.Json("keys", "rotate", "--algorithm", "HS256")));
        // Used once every node has heard of it: what one seals the others must be able to open.
        Assert.Equal([("page", "A256GCM", "next"), ("seal", "A256GCM", "next"), ("store", "A256GCM", "next")], States(await _cli.Json("keys", "rotate", "--algorithm", "A256GCM")).Order());
        Assert.Equal([("handle", "A256CTR-HS256", "next")], States(await _cli.Json("keys", "rotate", "--algorithm", "A256CTR-HS256")));
        await _cli.Refused(ExitCodes.NotFound, "use A256CTR-HS256, A256GCM, ES256, HS256.", "keys", "rotate", "--algorithm", "RS256");
        await _cli.Refused(ExitCodes.NotFound, "no key for 'A256ECB'", "keys", "rotate", "--algorithm", "A256ECB");
    }

    [Fact]
    public async Task Revoking_the_key_in_use_brings_another_at_once()
    {
        var revoked = await Kid("active");

        var said = await _cli.Json("keys", "revoke", revoked);
        Assert.Equal(["kid", "revoked", "changed"], Names(said));
        Assert.True(said.GetProperty("changed").GetBoolean());
        Assert.Equal(["revoked", "active"], await SigningStates());
        Assert.Contains("already", (await _cli.Done("keys", "revoke", revoked)).Output, StringComparison.Ordinal);
        Assert.Equal(["revoked", "active"], await SigningStates());
    }

    [Fact]
    public async Task Revoking_the_key_in_use_lets_the_one_that_waits_begin()
    {
        await _cli.Done("keys", "rotate");
        var waiting = await Kid("next");

        await _cli.Done("keys", "revoke", await Kid("active"));
        Assert.Equal(["revoked", "active"], await SigningStates());
        Assert.Equal(waiting, await Kid("active"));
    }

    [Fact]
    public async Task Revoking_the_key_that_waits_keeps_the_one_in_use()
    {
        await _cli.Done("keys", "rotate");
        var inUse = await Kid("active");

        await _cli.Done("keys", "revoke", await Kid("next"));
        var key = (await _cli.Json("keys", "list")).EnumerateArray().Single(key => Text(key, "kid") == inUse);
        Assert.Equal("active", Text(key, "state"));
        // Without this it would hand over to nothing a day later.
        Assert.Equal(JsonValueKind.Null, key.GetProperty("active_until").ValueKind);
    }

    [Fact]
    public async Task A_key_that_hashes_secrets_is_revoked_when_they_are_replaced()
    {
        await _cli.Done("client", "add", "hashed", "--grant", "client_credentials", "--scope", "cli:read");
        var kid = (await _cli.Json("keys", "list")).EnumerateArray().Where(key => Text(key, "purpose") == "hash").Select(key => Text(key, "kid")!).Single();

        await _cli.Refused(ExitCodes.Conflict, "keys rotate --algorithm HS256", "keys", "revoke", kid);
        await _cli.Done("keys", "rotate", "--algorithm", "HS256");
        await _cli.Done("client", "secret", "hashed");
        await _cli.Done("keys", "revoke", kid);
    }

    [Fact]
    public async Task Every_kind_of_key_that_protects_something_can_be_revoked_and_another_takes_its_place()
    {
        var before = (await Keys()).Where(key => Text(key, "purpose") != "pairwise").ToList();
        foreach (var key in before) await _cli.Done("keys", "revoke", Text(key, "kid")!);

        var after = (await Keys()).Where(key => Text(key, "purpose") != "pairwise" && Text(key, "state") == "active").ToList();
        Assert.Equal(before.Select(key => (Text(key, "purpose"), Text(key, "algorithm"))), after.Select(key => (Text(key, "purpose"), Text(key, "algorithm"))));
        Assert.Empty(before.Select(key => Text(key, "kid")).Intersect(after.Select(key => Text(key, "kid"))));
    }

    [Fact]
    public async Task A_key_that_seals_a_stored_secret_is_revoked_when_that_is_replaced()
    {
        string[] add = ["upstream", "add", "other", "--issuer", "https://other.example", "--client-id", "idp", "--secret", "a-secret-there"];
        await _cli.Done(add);
        var kid = Text((await Keys()).Single(key => Text(key, "purpose") == "store"), "kid")!;
        await _cli.Refused(ExitCodes.Conflict, "1 secret(s)", "keys", "revoke", kid);
        await _cli.Done("upstream", "remove", "other");
        await _cli.Done("keys", "revoke", kid);
    }

    [Fact]
    public async Task The_key_of_pairwise_subjects_stays_because_everybody_would_be_somebody_else()
    {
        var key = (await Keys()).Single(key => Text(key, "purpose") == "pairwise");

        await _cli.Refused(ExitCodes.Usage, "cannot be revoked", "keys", "revoke", Text(key, "kid")!);
        Assert.Equal("active", Text((await Keys()).Single(other => Text(other, "purpose") == "pairwise"), "state"));
    }

    [Fact]
    public async Task What_it_names_must_exist() => await _cli.Refused(ExitCodes.NotFound, "no key 'nope'", "keys", "revoke", "nope");

    [Fact]
    public async Task Reseal_moves_every_key_to_the_first_master_key_and_the_old_one_is_not_needed_any_more()
    {
        var file = Path.Combine(_cli.Data, "master.key");
        var old = await File.ReadAllTextAsync(file);
        var fresh = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
        await File.WriteAllTextAsync(file, $"{fresh}\n{old}");

        Assert.Equal((await _cli.Json("keys", "list")).GetArrayLength(), (await _cli.Json("keys", "reseal")).GetProperty("resealed").GetInt32());
        Assert.Equal(0, (await _cli.Json("keys", "reseal")).GetProperty("resealed").GetInt32());
        await File.WriteAllTextAsync(file, fresh);
        using (var offline = await Offline.Open(_cli.Data)) Assert.NotNull(offline.Get<KeyRing>().Signer("ES256"));
        await File.WriteAllTextAsync(file, old);
        await _cli.Refused(ExitCodes.Failed, "sealed with master key", "keys", "list");
    }

    private async Task<IEnumerable<JsonElement>> Keys() => (await _cli.Json("keys", "list")).EnumerateArray();

    private async Task<string> Kid(string state) =>
        (await _cli.Json("keys", "list")).EnumerateArray().Single(key => Text(key, "purpose") == "sign" && Text(key, "state") == state).GetProperty("kid").GetString()!;

    private async Task<string[]> SigningStates() =>
        (await _cli.Json("keys", "list")).EnumerateArray().Where(key => Text(key, "purpose") == "sign").Select(key => Text(key, "state")!).ToArray();

    private static IEnumerable<(string?, string?, string?)> States(JsonElement keys) =>
        keys.EnumerateArray().Select(key => (Text(key, "purpose"), Text(key, "algorithm"), Text(key, "state")));
}
