using System.Text.Json;
using IdP.Commands;
using IdP.Protocol.OAuth;
using Xunit;
using static IdP.Tests.Commands.Printed;

namespace IdP.Tests.Commands;

public sealed class ClientCommandsTests(Cli cli) : IClassFixture<Cli>
{
    internal static readonly string[] Shape =
    [
        "client_id", "name", "public", "auth_methods", "grants", "scopes", "default_scopes", "origins", "resource", "allow_public_password_grant",
        "access_token_lifetime", "rotates_refresh_tokens", "redirect_uris", "post_logout_redirect_uris", "native", "allow_code_without_pkce", "require_second_factor", "require_passkey", "require_pushed_requests",
        "id_token_alg", "userinfo_alg", "sector", "session_refresh_tokens", "logo_uri", "policy_uri", "tos_uri", "backchannel_logout_uri", "frontchannel_logout_uri",
        "secrets", "created_at", "disabled_at",
    ];

    [Fact]
    public async Task Add_keeps_everything_that_it_was_told()
    {
        var added = await cli.Json("client", "add", "full", "--secret", "a-secret-of-some-length", "--name", "Full name ä", "--grant", "password", "--grant", "client_credentials",
            "--scope", "openid cli:read", "--scope", "cli:write", "--default-scope", "cli:read", "--auth-method", "client_secret_post", "--origin", "https://app.example",
            "--origin", "http://localhost:3000", "--resource", "https://api.cli.example", "--access-token-lifetime", "90", "--rotate-refresh-tokens", "true");

        Assert.Equal(Shape, Names(added));
        Assert.Equal("full", added.GetProperty("client_id").GetString());
        Assert.Equal("Full name ä", added.GetProperty("name").GetString());
        Assert.False(added.GetProperty("public").GetBoolean());
        Assert.Equal(["client_secret_post"], Strings(added, "auth_methods"));
        Assert.Equal(["password", "client_credentials"], Strings(added, "grants"));
        Assert.Equal(["openid", "cli:read", "cli:write"], Strings(added, "scopes"));
        Assert.Equal(["cli:read"], Strings(added, "default_scopes"));
        Assert.Equal(["https://app.example", "http://localhost:3000"], Strings(added, "origins"));
        Assert.Equal("urn:cli:api", added.GetProperty("resource").GetString());
        Assert.Equal(90, added.GetProperty("access_token_lifetime").GetInt32());
        Assert.True(added.GetProperty("rotates_refresh_tokens").GetBoolean());
        Assert.Equal(added.GetRawText(), (await cli.Json("client", "show", "full")).GetRawText());
    }

    [Fact]
    public async Task Add_keeps_everything_about_signing_people_in()
    {
        var added = await cli.Json("client", "add", "pages", "--secret", "a-secret-of-some-length", "--grant", "authorization_code", "--grant", "refresh_token", "--scope", "openid",
            "--redirect-uri", "https://app.example/callback", "--redirect-uri", "https://app.example/other?a=b", "--post-logout-redirect-uri", "https://app.example/", "--native",
            "--allow-code-without-pkce", "--require-second-factor", "--require-passkey", "--require-pushed-requests", "--id-token-alg", "PS256", "--userinfo-alg", "ES256", "--pairwise", "--session-refresh-tokens",
            "--logo-uri", "https://app.example/logo.png", "--policy-uri", "https://app.example/policy", "--tos-uri", "https://app.example/terms",
            "--backchannel-logout-uri", "https://app.example/back", "--frontchannel-logout-uri", "https://app.example/front");

        Assert.Equal(Shape, Names(added));
        Assert.Equal(["https://app.example/callback", "https://app.example/other?a=b"], Strings(added, "redirect_uris"));
        Assert.Equal(["https://app.example/"], Strings(added, "post_logout_redirect_uris"));
        foreach (var name in (string[])["native", "allow_code_without_pkce", "require_second_factor", "require_passkey", "require_pushed_requests", "session_refresh_tokens"]) Assert.True(added.GetProperty(name).GetBoolean(), name);
        Assert.Equal(
            ["PS256", "ES256", "app.example", "https://app.example/logo.png", "https://app.example/policy", "https://app.example/terms", "https://app.example/back", "https://app.example/front"],
            ((string[])["id_token_alg", "userinfo_alg", "sector", "logo_uri", "policy_uri", "tos_uri", "backchannel_logout_uri", "frontchannel_logout_uri"]).Select(name => Text(added, name)));
        Assert.Equal(added.GetRawText(), (await cli.Json("client", "show", "pages")).GetRawText());
        var shown = (await cli.Done("client", "show", "pages")).Output;
        foreach (var text in (string[])["answers go to", "https://app.example/other?a=b", "after sign-out", "PS256", "app.example/terms", "back-channel logout"])
            Assert.Contains(text, shown, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_a_client_that_nobody_signs_in_to_the_same_names_say_nothing()
    {
        var added = await cli.Json("client", "add", "no-pages", "--secret", "a-secret-of-some-length", "--grant", "client_credentials", "--scope", "cli:read");

        Assert.Equal(Shape, Names(added));
        Assert.Empty(Strings(added, "redirect_uris"));
        Assert.Equal(JsonValueKind.Null, added.GetProperty("logo_uri").ValueKind);
        Assert.DoesNotContain("ID tokens", (await cli.Done("client", "show", "no-pages")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_confidential_client_without_a_secret_gets_one_that_is_shown_once()
    {
        var added = await cli.Json("client", "add", "made-secret", "--grant", "client_credentials", "--scope", "cli:read");
        var secret = added.GetProperty("client_secret").GetString()!;

        Assert.Equal(["client_id", "client_secret", .. Shape[1..]], Names(added));
        Assert.Equal(43, secret.Length);
        Assert.Equal(["client_secret_basic", "client_secret_post"], Strings(added, "auth_methods"));
        foreach (var command in (string[][])[["client", "show", "made-secret"], ["client", "list"], ["client", "show", "made-secret", "--json"], ["client", "list", "--json"]])
            Assert.DoesNotContain(secret, (await cli.Done(command)).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_public_client_has_no_secret_and_authenticates_with_none()
    {
        var added = await cli.Json("client", "add", "browser-app", "--public", "--grant", "password", "--allow-public-password-grant", "--scope", "cli:read");

        Assert.Equal(Shape, Names(added));
        Assert.True(added.GetProperty("public").GetBoolean());
        Assert.True(added.GetProperty("allow_public_password_grant").GetBoolean());
        Assert.Equal(["none"], Strings(added, "auth_methods"));
        Assert.Equal(0, added.GetProperty("secrets").GetArrayLength());
    }

    [Theory]
    [InlineData("a-secret-from-a-file\n")]
    [InlineData("a-secret-from-a-file\r\n")]
    [InlineData("a-secret-from-a-file")]
    public async Task A_secret_file_may_end_with_a_line_break(string text)
    {
        var id = $"file-{text.Length}";
        await cli.Done("client", "add", id, "--grant", "client_credentials", "--scope", "cli:read", "--secret-file", cli.WriteFile(id, text));

        Assert.True(await cli.SecretMatches(id, "a-secret-from-a-file"));
        Assert.False(await cli.SecretMatches(id, text + "\n"));
    }

    [Fact]
    public async Task A_secret_may_begin_with_any_character()
    {
        await cli.Done("client", "add", "at-sign", "--grant", "client_credentials", "--scope", "cli:read", "--secret", "@not-a-response-file");

        Assert.True(await cli.SecretMatches("at-sign", "@not-a-response-file"));
    }

    [Fact]
    public async Task What_is_probably_not_meant_is_noted_and_done()
    {
        Assert.Contains("fewer than 16 characters", (await cli.Done("client", "add", "short", "--secret", "12345678", "--grant", "password", "--scope", "openid")).Error, StringComparison.Ordinal);
        Assert.Contains("no scope", (await cli.Done("client", "add", "scopeless", "--grant", "password")).Error, StringComparison.Ordinal);
        Assert.Contains("nothing that it may do", (await cli.Done("client", "add", "idle")).Error, StringComparison.Ordinal);
        Assert.Empty((await cli.Done("client", "add", "well", "--grant", "password", "--scope", "openid")).Error);
    }

    [Theory]
    [InlineData("without spaces", "has space")]
    [InlineData("without spaces", "ünïcode")]
    [InlineData("without spaces", "")]
    [InlineData("person's sub", "0123456789abcdef0123456789abcdef")]
    [InlineData("person's sub", "0123456789ABCDEF0123456789ABCDEF")]
    [InlineData("public client cannot keep a secret", "x", "--public", "--secret", "a-secret-of-some-length")]
    [InlineData("may not use client_credentials", "x", "--public", "--grant", "client_credentials")]
    [InlineData("allow-public-password-grant", "x", "--public", "--grant", "password")]
    [InlineData("allow-public-password-grant", "x", "--grant", "password", "--allow-public-password-grant")]
    [InlineData("may not introspect", "x", "--public", "--resource", "urn:cli:api")]
    [InlineData("authenticates with none", "x", "--public", "--auth-method", "client_secret_post")]
    [InlineData("none is for public clients", "x", "--auth-method", "none")]
    [InlineData("client_secret_basic, client_secret_post, none", "x", "--auth-method", "private_key_jwt")]
    [InlineData("use authorization_code, client_credentials, password, refresh_token", "x", "--grant", "implicit")]
    [InlineData("one space between them", "x", "--scope", "a  b")]
    [InlineData("one space between them", "x", "--scope", "a\"b")]
    [InlineData("default scope 'cli:read'", "x", "--scope", "openid", "--default-scope", "cli:read")]
    [InlineData("8 to 1024 characters", "x", "--secret", "short12")]
    [InlineData("control characters", "x", "--secret", "a-secret\nof-two-lines")]
    [InlineData("control characters", "x", "--secret", " a-secret-with-a-space")]
    [InlineData("line breaks", "x", "--name", "two\nlines")]
    [InlineData("line breaks", "x", "--name", "evil \u202e name")]
    [InlineData("from 1 to 86400 seconds", "x", "--access-token-lifetime", "0")]
    [InlineData("from 1 to 86400 seconds", "x", "--access-token-lifetime", "86401")]
    [InlineData("whole number of seconds", "x", "--access-token-lifetime", "soon")]
    [InlineData("whole number of seconds", "x", "--access-token-lifetime", "-1")]
    [InlineData("must be true or false", "x", "--rotate-refresh-tokens", "sometimes")]
    [InlineData("must rotate", "x", "--public", "--grant", "password", "--allow-public-password-grant", "--grant", "refresh_token", "--rotate-refresh-tokens", "false")]
    [InlineData("refresh_token needs", "x", "--grant", "refresh_token")]
    [InlineData("refresh_token needs", "x", "--grant", "client_credentials", "--grant", "refresh_token")]
    [InlineData("use 'https://app.example'", "x", "--origin", "https://app.example/")]
    [InlineData("use 'https://app.example'", "x", "--origin", "https://app.example/path")]
    [InlineData("use 'https://app.example'", "x", "--origin", "HTTPS://App.example")]
    [InlineData("use 'https://app.example'", "x", "--origin", "https://app.example:443")]
    [InlineData("is not one", "x", "--origin", "app.example")]
    [InlineData("is not one", "x", "--origin", "null")]
    [InlineData("is not one", "x", "--origin", "*")]
    [InlineData("is not one", "x", "--origin", "https://*.example")]
    [InlineData("is not one", "x", "--origin", "app://example")]
    [InlineData("is not one", "x", "--origin", "https://user@app.example")]
    [InlineData("only one of", "x", "--secret", "a-secret-of-some-length", "--secret-file", "f")]
    [InlineData("cannot be read", "x", "--secret-file", "/no/such/file")]
    public async Task What_breaks_a_rule_is_refused_and_nothing_is_added(string text, string id, params string[] options)
    {
        var before = await cli.Json("client", "list");

        await cli.Refused(ExitCodes.Usage, text, ["client", "add", id, .. options]);
        Assert.Equal(before.GetRawText(), (await cli.Json("client", "list")).GetRawText());
    }

    [Fact]
    public async Task A_secret_as_long_as_may_be_works_and_one_character_more_is_refused()
    {
        await cli.Done("client", "add", "longest", "--secret", new string('s', 1024), "--grant", "password", "--scope", "openid");

        Assert.True(await cli.SecretMatches("longest", new string('s', 1024)));
        await cli.Refused(ExitCodes.Usage, "8 to 1024", "client", "add", "too-long", "--secret", new string('s', 1025));
    }

    [Fact]
    public async Task What_it_names_must_exist()
    {
        await cli.Refused(ExitCodes.NotFound, "'nope' is unknown", "client", "add", "x", "--scope", "cli:read nope");
        await cli.Refused(ExitCodes.NotFound, "cli:read, cli:write", "client", "add", "x", "--scope", "nope");
        await cli.Refused(ExitCodes.NotFound, "urn:cli:api", "client", "add", "x", "--resource", "urn:nope");
        foreach (var command in (string[])["show", "disable", "enable", "secret"])
            await cli.Refused(ExitCodes.NotFound, "no client 'nobody'", "client", command, "nobody");
    }

    [Fact]
    public async Task Ids_are_taken_once_and_their_case_counts()
    {
        await cli.Done("client", "add", "once", "--grant", "password", "--scope", "openid");

        await cli.Refused(ExitCodes.Conflict, "already", "client", "add", "once");
        await cli.Refused(ExitCodes.NotFound, "upper and lower case", "client", "show", "Once");
        await cli.Done("client", "add", "Once", "--grant", "password", "--scope", "openid");
    }

    [Fact]
    public async Task Lists_are_aligned_for_people()
    {
        await cli.Done("client", "add", "aligned", "--grant", "client_credentials", "--scope", "cli:read");
        var lines = (await cli.Done("client", "list")).Output.TrimEnd().Split('\n');
        var column = lines[0].IndexOf("TYPE", StringComparison.Ordinal);

        Assert.StartsWith("ID ", lines[0], StringComparison.Ordinal);
        Assert.All(lines[1..], line => Assert.True(line[column - 1] == ' ' && (line[column..].StartsWith("public ", StringComparison.Ordinal) || line[column..].StartsWith("confidential ", StringComparison.Ordinal))));
    }

    [Fact]
    public async Task The_grants_that_commands_know_are_those_that_the_server_has()
    {
        await using var server = await Testing.IdpServer.StartEmpty();
        var registered = Microsoft.Extensions.DependencyInjection.ServiceProviderServiceExtensions.GetServices<Tokens.IGrant>(server.App.Services);

        Assert.Equal(GrantNames.All.Order(StringComparer.Ordinal), registered.Select(grant => grant.Name).Order(StringComparer.Ordinal));
    }
}
