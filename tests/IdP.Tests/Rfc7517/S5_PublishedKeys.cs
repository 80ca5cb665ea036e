using System.Text.Json.Nodes;
using IdP.Protocol.Jose;
using IdP.Testing;
using IdP.Tests.Support;
using Xunit;

namespace IdP.Tests.Rfc7517;

public sealed class S5_PublishedKeys(SqliteServer fixture) : IClassFixture<SqliteServer>
{
    private static readonly Uri Path = new("/.well-known/jwks.json", UriKind.Relative);
    private readonly IdpServer _server = fixture.Server;

    [Fact]
    [Trait("Case", "DIS-04")]
    public async Task Only_public_members_are_there_and_every_kid_once()
    {
        foreach (var algorithm in SigningAlgorithms.All) await _server.AddResource("urn:keys:" + algorithm, [], r => r.Algorithm = algorithm);
        var text = await _server.Http.GetStringAsync(Path);
        var keys = JsonNode.Parse(text)!["keys"]!.AsArray().Select(key => key!.AsObject()).ToList();

        Assert.Equal(SigningAlgorithms.All.Order(StringComparer.Ordinal), keys.Select(key => key["alg"]!.GetValue<string>()).Order(StringComparer.Ordinal));
        Assert.Equal(keys.Count, keys.Select(key => key["kid"]!.GetValue<string>()).Distinct(StringComparer.Ordinal).Count());
        foreach (var key in keys)
        {
            string[] expected = key["kty"]!.GetValue<string>() == "EC" ? ["alg", "crv", "kid", "kty", "use", "x", "y"] : ["alg", "e", "kid", "kty", "n", "use"];
            Assert.Equal(expected, key.Select(member => member.Key).Order(StringComparer.Ordinal));
            Assert.Equal("sig", key["use"]!.GetValue<string>());
        }
        // Neither the keys that seal and hash nor anything else of the database.
        Assert.True(text.Length < 64 * 1024);
        Assert.DoesNotContain(_server.Keys.Symmetric(IdP.Keys.KeyPurpose.SealToken).KeyId, text, StringComparison.Ordinal);
    }

    [Theory, InlineData("/.well-known/jwks.json"), InlineData("/.well-known/openid-configuration"), InlineData("/.well-known/oauth-authorization-server")]
    [Trait("Case", "DIS-04")]
    public async Task The_documents_may_be_cached_and_are_compared_by_ETag(string path)
    {
        var first = await _server.Send(new HttpRequestMessage(HttpMethod.Get, path));
        var again = new HttpRequestMessage(HttpMethod.Get, path);
        again.Headers.TryAddWithoutValidation("If-None-Match", first.Header("ETag"));
        var second = await _server.Send(again);
        var stale = new HttpRequestMessage(HttpMethod.Get, path);
        stale.Headers.TryAddWithoutValidation("If-None-Match", "\"another\"");
        var third = await _server.Send(stale);
        var head = await _server.Send(new HttpRequestMessage(HttpMethod.Head, path));

        Assert.Matches("^\"[0-9a-f]+\"$", first.Header("ETag"));
        Assert.Equal("public, max-age=300", first.Header("Cache-Control"));
        Assert.Equal("application/json", first.Response.Content.Headers.ContentType!.ToString());
        Assert.Equal("nosniff", first.Header("X-Content-Type-Options"));
        Assert.Equal("*", first.Header("Access-Control-Allow-Origin"));
        Assert.Equal("", first.Header("Set-Cookie"));
        Assert.Equal((304, "", first.Header("ETag"), first.Header("Cache-Control")), (second.Status, second.Body, second.Header("ETag"), second.Header("Cache-Control")));
        Assert.Equal((200, first.Body), (third.Status, third.Body));
        Assert.Equal((200, "", first.Header("Content-Length"), first.Header("ETag")), (head.Status, head.Body, head.Header("Content-Length"), head.Header("ETag")));
    }

    [Fact]
    public async Task The_documents_take_no_other_method()
    {
        foreach (var path in (string[])["/.well-known/jwks.json", "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"])
            foreach (var method in (string[])["POST", "PUT", "DELETE"])
                Assert.Contains("GET", (await _server.Refused(new HttpRequestMessage(new HttpMethod(method), path), 405, "invalid_request")).Header("Allow"), StringComparison.Ordinal);
    }
}
