using IdP.Commands;
using IdP.Protocol;
using IdP.Testing;
using IdP.Tests.Support;
using Xunit;

namespace IdP.Tests.Commands;

public sealed class ApiKeyCommandsTests(SqliteServer fixture) : IClassFixture<SqliteServer>, IDisposable
{
    private readonly IdpServer _server = fixture.Server;
    private readonly Cli _cli = Cli.Beside(fixture.Server);

    public void Dispose() => _cli.Dispose();

    [Fact]
    [Trait("Case", "KEY-04")]
    public async Task A_key_is_printed_once_and_lists_show_what_it_is_called()
    {
        var added = await _cli.Json("api-key", "add", "--user", "alice", "--resource", "https://api.test", "--scope", "items:read items:write", "--name", "Nightly export", "--expires-in-days", "30");
        var key = Printed.Text(added, "key")!;
        Assert.True(ApiKeyText.TryParse(key, out var text));
        Assert.Equal($"idp_{text.KeyId}", Printed.Text(added, "prefix"));
        Assert.True((await _server.Introspect(key)).Active);
        Assert.NotNull(await _server.LastUse(key));

        var listed = (await _cli.Json("api-key", "list", "--user", "alice")).EnumerateArray().Single(k => Printed.Text(k, "prefix") == $"idp_{text.KeyId}");
        Assert.Equal(("Nightly export", "alice", IdpServer.Api), (Printed.Text(listed, "name"), Printed.Text(listed, "user"), Printed.Text(listed, "resource")));
        Assert.Equal(["items:read", "items:write"], Printed.Strings(listed, "scopes"));
        Assert.NotNull(Printed.Text(listed, "last_used_at"));
        Assert.Null(Printed.Text(listed, "key"));
        var table = (await _cli.Done("api-key", "list")).Output;
        Assert.Contains($"idp_{text.KeyId}", table, StringComparison.Ordinal);
        Assert.DoesNotContain(text.Secret, table, StringComparison.Ordinal);
        Assert.Contains("user alice", table, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_has_keys_too_with_no_more_scopes_than_its_own()
    {
        var ran = await _cli.Done("api-key", "add", "--client", "service", "--resource", IdpServer.Api, "--scope", "items:read", "--name", "Batch");
        var key = ran.Output.TrimEnd().Split(' ')[^1];
        Assert.Equal("service", (string)(await _server.Introspect(key)).Json["client_id"]!);
        Assert.Contains("client service", (await _cli.Done("api-key", "list", "--client", "service")).Output, StringComparison.Ordinal);
        await _cli.Refused(ExitCodes.Usage, "'admin'", "api-key", "add", "--client", "service", "--resource", IdpServer.Api, "--scope", "admin", "--name", "Batch");
        await _cli.Refused(ExitCodes.Usage, "is public", "api-key", "add", "--client", "spa", "--resource", IdpServer.Api, "--scope", "items:read", "--name", "Batch");
    }

    [Fact]
    public async Task Rotating_prints_the_new_key_and_the_old_one_ends_when_it_should()
    {
        var first = Printed.Text(await _cli.Json("api-key", "add", "--user", "bob", "--resource", IdpServer.Api, "--scope", "items:read", "--name", "a"), "key")!;
        var second = Printed.Text(await _cli.Json("api-key", "rotate", first[..16], "--overlap", "3600"), "key")!;
        Assert.True((await _server.Introspect(first)).Active);
        Assert.True((await _server.Introspect(second)).Active);
        var third = Printed.Text(await _cli.Json("api-key", "rotate", first[4..16], "--expires-in-days", "10"), "key")!;
        Assert.Equal(Inactive, (await _server.Introspect(second)).Body);
        Assert.True((await _server.Introspect(third)).Active);
        await _cli.Refused(ExitCodes.Usage, "overlap", "api-key", "rotate", first[..16], "--overlap", "999999999");
    }

    [Fact]
    public async Task Revoking_takes_what_lists_show_or_a_whole_key_that_was_found_somewhere()
    {
        foreach (var whole in (bool[])[false, true])
        {
            var key = Printed.Text(await _cli.Json("api-key", "add", "--user", "bob", "--resource", IdpServer.Api, "--scope", "items:read", "--name", "a"), "key")!;
            var revoked = await _cli.Json("api-key", "revoke", whole ? key : key[..16]);
            Assert.Equal(key[..16], Printed.Text(revoked, "prefix"));
            Assert.Equal(Inactive, (await _server.Introspect(key)).Body);
            Assert.Contains("already", (await _cli.Done("api-key", "revoke", key[..16])).Output, StringComparison.Ordinal);
            await _cli.Refused(ExitCodes.Conflict, "has ended", "api-key", "rotate", key[..16]);
        }
        await _cli.Refused(ExitCodes.NotFound, "idp_000000000000", "api-key", "revoke", "idp_000000000000");
        var ran = await _cli.Run("api-key", "revoke", ApiKeyText.Create().ToString()[..60]);
        Assert.Equal(ExitCodes.Usage, ran.ExitCode);
        Assert.DoesNotContain("idp_0", ran.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_cannot_be_is_refused_in_one_sentence()
    {
        string[] Add(params string[] more) => ["api-key", "add", "--resource", IdpServer.Api, "--scope", "items:read", "--name", "a", .. more];
        await _cli.Refused(ExitCodes.Usage, "one owner", Add());
        await _cli.Refused(ExitCodes.Usage, "one owner", Add("--user", "alice", "--client", "service"));
        await _cli.Refused(ExitCodes.NotFound, "'nobody'", Add("--user", "nobody"));
        await _cli.Refused(ExitCodes.Conflict, "disabled", Add("--user", "mallory"));
        await _cli.Refused(ExitCodes.Usage, "366", Add("--user", "alice", "--expires-in-days", "367"));
        await _cli.Refused(ExitCodes.Usage, "366", Add("--user", "alice", "--expires-in-days", "0"));
        await _cli.Refused(ExitCodes.Usage, "whole number", Add("--user", "alice", "--expires-in-days", "soon"));
        await _cli.Refused(ExitCodes.NotFound, "urn:nowhere", "api-key", "add", "--user", "alice", "--resource", "urn:nowhere", "--scope", "items:read", "--name", "a");
        await _cli.Refused(ExitCodes.Usage, "'openid'", "api-key", "add", "--user", "alice", "--resource", IdpServer.Api, "--scope", "openid", "--name", "a");
        await _cli.Refused(ExitCodes.Usage, "name", "api-key", "add", "--user", "alice", "--resource", IdpServer.Api, "--scope", "items:read", "--name", " a");
    }

    [Fact]
    public async Task A_hashing_key_on_which_API_keys_depend_is_not_revoked()
    {
        await using var server = await IdpServer.StartEmpty();
        await server.AddResource("urn:test:hashed", ["hashed:read"]);
        await server.AddUser("alice");
        var key = await server.ApiKeyOfUser("alice", "hashed:read", resource: "urn:test:hashed");
        using var cli = Cli.Beside(server);
        var kid = server.Keys.Symmetric(IdP.Keys.KeyPurpose.Hash).KeyId;
        await cli.Done("keys", "rotate", "--algorithm", "HS256");
        await cli.Refused(ExitCodes.Conflict, "1 API key(s)", "keys", "revoke", kid);
        await cli.Done("api-key", "rotate", key[..16]);
        await cli.Done("keys", "revoke", kid);
    }

    private const string Inactive = """{"active":false}""";
}
