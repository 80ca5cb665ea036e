using System.Text.Json;
using IdP.Commands;
using IdP.Resources;
using Xunit;
using static IdP.Tests.Commands.Printed;

namespace IdP.Tests.Commands;

public sealed class ResourceAndScopeCommandsTests(Cli cli) : IClassFixture<Cli>
{
    [Fact]
    public async Task A_resource_is_kept_as_it_was_told()
    {
        var added = await cli.Json("resource", "add", "urn:full:api", "--identifier", "https://full.example/api", "--identifier", "https://other.example",
            "--token-format", "opaque", "--algorithm", "ES256", "--access-token-lifetime", "120");
        await cli.Done("scope", "add", "full:read", "--resource", "https://full.example/api", "--description", "Read it all");

        Assert.Equal(["identifiers", "token_format", "algorithm", "access_token_lifetime", "scopes", "created_at"], Names(added));
        Assert.Equal(["urn:full:api", "https://full.example/api", "https://other.example"], Strings(added, "identifiers"));
        var listed = (await cli.Json("resource", "list")).EnumerateArray().Single(r => Strings(r, "identifiers")[0] == "urn:full:api");
        Assert.Equal("opaque", Text(listed, "token_format"));
        Assert.Equal("ES256", Text(listed, "algorithm"));
        Assert.Equal(120, listed.GetProperty("access_token_lifetime").GetInt32());
        Assert.Equal(["full:read"], Strings(listed, "scopes"));
        Assert.Contains("urn:full:api https://full.example/api https://other.example  opaque", (await cli.Done("resource", "list")).Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("RS256")]
    [InlineData("PS256")]
    public async Task A_resource_brings_the_first_key_of_its_algorithm(string algorithm)
    {
        await cli.Done("resource", "add", $"urn:{algorithm}:api", "--algorithm", algorithm);
        await cli.Done("resource", "add", $"urn:{algorithm}:second", "--algorithm", algorithm);

        var key = Assert.Single((await cli.Json("keys", "list")).EnumerateArray(), key => Text(key, "algorithm") == algorithm);
        Assert.Equal(("sign", "active"), (Text(key, "purpose"), Text(key, "state")));
    }

    [Theory]
    [InlineData(ExitCodes.Usage, "absolute URI", "not-a-uri")]
    [InlineData(ExitCodes.Usage, "absolute URI", "https://api.example/#part")]
    [InlineData(ExitCodes.Usage, "absolute URI", "https://api.example/ü")]
    [InlineData(ExitCodes.Usage, "absolute URI", "urn:x:y", "--identifier", "nope")]
    [InlineData(ExitCodes.Usage, "own issuer", "http://localhost:8080")]
    [InlineData(ExitCodes.Usage, "own issuer", "http://localhost:8080/")]
    [InlineData(ExitCodes.Usage, "given twice", "urn:x:y", "--identifier", "urn:x:y")]
    [InlineData(ExitCodes.Usage, "ES256, RS256, PS256", "urn:x:y", "--algorithm", "HS512")]
    [InlineData(ExitCodes.Usage, "ES256, RS256, PS256", "urn:x:y", "--algorithm", "none")]
    [InlineData(ExitCodes.Usage, "jwt or opaque", "urn:x:y", "--token-format", "saml")]
    [InlineData(ExitCodes.Usage, "from 1 to 86400", "urn:x:y", "--access-token-lifetime", "86401")]
    [InlineData(ExitCodes.Conflict, "urn:cli:api", "urn:cli:api")]
    [InlineData(ExitCodes.Conflict, "https://api.cli.example", "urn:x:y", "--identifier", "https://api.cli.example")]
    public async Task A_resource_that_breaks_a_rule_is_refused(int exitCode, string text, string uri, params string[] options)
    {
        await cli.Refused(exitCode, text, ["resource", "add", uri, .. options]);
        Assert.DoesNotContain((await cli.Json("resource", "list")).EnumerateArray(), r => Strings(r, "identifiers").Contains("urn:x:y"));
    }

    [Fact]
    public async Task The_configured_issuer_is_no_resource_either()
    {
        var settings = cli.WriteFile("issuer.json", """{"Issuer":"https://login.example"}""");
        using var output = new StringWriter();
        using var error = new StringWriter();

        Assert.Equal(ExitCodes.Usage, await CommandLine.Run(["resource", "add", "https://login.example", "--data", cli.Data, "--config", settings], output, error));
        Assert.Contains("own issuer", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Scopes_are_listed_with_the_providers_own()
    {
        var added = await cli.Json("scope", "add", "list:me", "--resource", "urn:cli:api", "--description", "Be listed");
        var scopes = await cli.Json("scope", "list");

        Assert.Equal(["name", "resource", "description"], Names(added));
        Assert.Equal("""["list:me","urn:cli:api","Be listed"]""", Row(scopes.EnumerateArray().Single(s => Text(s, "name") == "list:me")));
        Assert.Equal(ResourceCatalog.IdentityScopes.Keys.Order(StringComparer.Ordinal), scopes.EnumerateArray().Where(s => Text(s, "resource") is null).Select(s => Text(s, "name")!));
        Assert.Contains("list:me", (await cli.Done("scope", "list")).Output, StringComparison.Ordinal);

        static string Row(JsonElement scope) => JsonSerializer.Serialize(new[] { Text(scope, "name"), Text(scope, "resource"), Text(scope, "description") });
    }

    [Theory]
    [InlineData(ExitCodes.Usage, "printable ASCII", "two words")]
    [InlineData(ExitCodes.Usage, "printable ASCII", "quo\"te")]
    [InlineData(ExitCodes.Usage, "printable ASCII", "back\\slash")]
    [InlineData(ExitCodes.Usage, "printable ASCII", "ümlaut")]
    [InlineData(ExitCodes.Usage, "printable ASCII", "")]
    [InlineData(ExitCodes.Usage, "idp:", "idp:admin")]
    [InlineData(ExitCodes.Usage, "idp:", "IDP:admin")]
    [InlineData(ExitCodes.Usage, "description", "x:y", "--description", "two\nlines")]
    [InlineData(ExitCodes.Conflict, "OpenID Connect", "openid")]
    [InlineData(ExitCodes.Conflict, "OpenID Connect", "email")]
    [InlineData(ExitCodes.Conflict, "already", "cli:read")]
    public async Task A_scope_that_breaks_a_rule_is_refused(int exitCode, string text, string name, params string[] options)
    {
        await cli.Refused(exitCode, text, ["scope", "add", name, "--resource", "urn:cli:api", .. options]);
    }

    [Fact]
    public async Task The_resource_of_a_scope_must_be_given_and_exist()
    {
        await cli.Refused(ExitCodes.NotFound, "urn:cli:api", "scope", "add", "x:y", "--resource", "urn:nope");
        await cli.Refused(ExitCodes.Usage, "--resource", "scope", "add", "x:y");
    }
}
