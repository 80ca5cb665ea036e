using System.Text;
using IdP.Clients;
using IdP.Testing;
using IdP.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace IdP.Tests.Rfc6749;

public sealed class S2_3_ClientAuthentication(SqliteServer fixture) : IClassFixture<SqliteServer>
{
    private const string Token = "/connect/token";
    private static readonly (string, string) Grant = ("grant_type", "client_credentials");
    private readonly IdpServer _server = fixture.Server;

    public static TheoryData<string> Endpoints => ["/connect/token", "/connect/introspect", "/connect/revoke"];

    [Fact]
    public async Task A_client_may_send_its_secret_by_Basic_or_in_the_body_but_only_as_it_is_registered()
    {
        await _server.AddClient("basic-only", "client_credentials", "items:read", c => (c.AuthenticationMethods, c.DefaultScopes) = (["client_secret_basic"], ["items:read"]));
        await _server.AddClient("post-only", "client_credentials", "items:read", c => (c.AuthenticationMethods, c.DefaultScopes) = (["client_secret_post"], ["items:read"]));

        Assert.Equal(200, (await _server.Post(Token, "basic-only", Grant)).Status);
        Assert.Equal(200, (await _server.Post(Token, null, Grant, ("client_id", "post-only"), ("client_secret", IdpServer.Secret))).Status);
        await _server.Refused(401, "invalid_client", Token, "post-only", Grant);
        await _server.Refused(401, "invalid_client", Token, null, Grant, ("client_id", "basic-only"), ("client_secret", IdpServer.Secret));
    }

    [Theory, MemberData(nameof(Endpoints))]
    [Trait("Case", "CLA-01")]
    public async Task A_wrong_secret_is_invalid_client_with_a_Basic_challenge(string path)
    {
        var byHeader = await _server.Refused(Invariants.Form(path, "service", "wrong-secret", Grant, ("token", "t")), 401, "invalid_client");
        var inBody = await _server.Refused(401, "invalid_client", path, null, Grant, ("token", "t"), ("client_id", "service"), ("client_secret", "wrong-secret"));

        Assert.StartsWith("Basic realm=", byHeader.Header("WWW-Authenticate"), StringComparison.Ordinal);
        Assert.StartsWith("Basic realm=", inBody.Header("WWW-Authenticate"), StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Endpoints))]
    [Trait("Case", "CLA-02")]
    public async Task An_unknown_client_gets_the_answer_of_a_wrong_secret_byte_for_byte(string path)
    {
        foreach (var (secret, inBody) in ((string, bool)[])[("wrong-secret", false), ("wrong-secret", true), (new string('x', 2000), true)])
        {
            (string, string)[] Fields(string client) => inBody ? [Grant, ("client_id", client), ("client_secret", secret)] : [Grant];
            var known = await _server.Refused(Invariants.Form(path, inBody ? null : "service", secret, Fields("service")), 401, "invalid_client");
            var unknown = await _server.Refused(Invariants.Form(path, inBody ? null : "nobody", secret, Fields("nobody")), 401, "invalid_client");

            Assert.Equal(known.Body, unknown.Body);
            Assert.Equal(Headers(known), Headers(unknown));
        }
    }

    [Theory, MemberData(nameof(Endpoints))]
    [Trait("Case", "CLA-04")]
    public async Task A_client_id_in_the_body_that_is_not_the_one_in_the_header_is_invalid_request(string path)
    {
        await _server.Refused(400, "invalid_request", path, "service", Grant, ("token", "t"), ("client_id", "app"));
        // With an empty secret in the header and another client's in the body it is still two clients.
        await _server.Refused(Invariants.Form(path, "app", "", Grant, ("token", "t"), ("client_id", "service"), ("client_secret", IdpServer.Secret)), 400, "invalid_request");
        Assert.NotEqual("invalid_request", (await _server.Sent(Invariants.Form(Token, "service", Grant, ("client_id", "service"), ("scope", "items:read")))).Json["error"]?.GetValue<string>());
    }

    [Theory, MemberData(nameof(Endpoints))]
    public async Task Two_methods_in_one_request_are_invalid_request(string path)
    {
        await _server.Refused(400, "invalid_request", path, "service", Grant, ("token", "t"), ("client_id", "service"), ("client_secret", IdpServer.Secret));
        await _server.Refused(Invariants.Form(path, "service", "", Grant, ("token", "t"), ("client_id", "service"), ("client_secret", IdpServer.Secret)), 400, "invalid_request");
        var header = IdpServer.Basic("service", IdpServer.Secret).ToString();
        await _server.Refused(Invariants.Raw(path, $"{header}, {header}", "grant_type=client_credentials&token=t"), 401, "invalid_client");
        var twice = await RawHttp.Post(_server.Url, path, "grant_type=client_credentials&token=t", $"Authorization: {header}", $"Authorization: {header}");
        Assert.Equal(400, RawHttp.Status(twice));
        Assert.Contains("\"invalid_request\"", twice, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Case", "CLA-05")]
    public async Task A_secret_does_not_help_a_client_that_is_registered_for_a_stronger_method()
    {
        await _server.AddClient("signer", "client_credentials", "items:read", c => (c.AuthenticationMethods, c.DefaultScopes) = (["private_key_jwt"], ["items:read"]));
        await _server.AddClient("certificate", "client_credentials", "items:read", c => (c.AuthenticationMethods, c.DefaultScopes) = (["tls_client_auth"], ["items:read"]));

        foreach (var client in (string[])["signer", "certificate"])
        {
            await _server.Refused(401, "invalid_client", Token, client, Grant);
            await _server.Refused(401, "invalid_client", Token, null, Grant, ("client_id", client), ("client_secret", IdpServer.Secret));
            await _server.Refused(401, "invalid_client", Token, null, Grant, ("client_id", client));
        }
    }

    [Theory, MemberData(nameof(Endpoints))]
    [Trait("Case", "CLA-06")]
    [Trait("Case", "CLA-11")]
    public async Task A_confidential_client_that_omits_its_credentials_is_never_taken_for_a_public_one(string path)
    {
        await _server.Refused(401, "invalid_client", path, null, Grant, ("token", "t"));
        await _server.Refused(401, "invalid_client", path, null, Grant, ("token", "t"), ("client_id", "service"));
        await _server.Refused(401, "invalid_client", path, null, Grant, ("token", "t"), ("client_id", "service"), ("client_secret", ""));
        await _server.Refused(Invariants.Form(path, "service", "", Grant, ("token", "t")), 401, "invalid_client");
        await _server.Refused(401, "invalid_client", path, null, Grant, ("token", "t"), ("client_secret", IdpServer.Secret));
    }

    [Theory, MemberData(nameof(Endpoints))]
    [Trait("Case", "CLA-06")]
    public async Task A_public_client_that_adds_a_secret_is_refused(string path)
    {
        await AddOnce("spa-with-secret", "password", c => c.AllowPublicPasswordGrant = true);
        (string, string)[] form = [("grant_type", "password"), ("username", "alice"), ("password", IdpServer.Password), ("scope", "items:read"), ("token", "t")];

        await _server.Refused(Invariants.Form(path, "spa-with-secret", IdpServer.Secret, form), 401, "invalid_client");
        await _server.Refused(401, "invalid_client", path, null, [.. form, ("client_id", "spa-with-secret"), ("client_secret", "anything")]);
    }

    public static TheoryData<string, string> BrokenHeaders => new()
    {
        { "a TAB instead of the space", "Basic\t" + Encoded("service:" + IdpServer.Secret) },
        { "two spaces", "Basic  " + Encoded("service:" + IdpServer.Secret) },
        { "a space at the end of the credentials", "Basic " + Encoded("service:" + IdpServer.Secret) + " x" },
        { "no space", "Basic" + Encoded("service:" + IdpServer.Secret) },
        { "nothing after the scheme", "Basic" },
        { "no colon", "Basic " + Encoded("service") },
        { "an empty id", "Basic " + Encoded(":" + IdpServer.Secret) },
        { "a broken escape", "Basic " + Encoded("service:%zz") },
        { "an escape cut off", "Basic " + Encoded("service:a%2") },
        { "bytes that are not UTF-8", "Basic " + Convert.ToBase64String([.. "service:"u8, 0xC3, 0x28]) },
        { "escaped bytes that are not UTF-8", "Basic " + Encoded("service:%C3%28") },
        { "NUL in the id", "Basic " + Encoded("ser\0vice:" + IdpServer.Secret) },
        { "an escaped NUL in the id", "Basic " + Encoded("ser%00vice:" + IdpServer.Secret) },
        { "CRLF in the secret", "Basic " + Encoded("service:a\r\nb") },
        { "an escaped CRLF in the secret", "Basic " + Encoded("service:a%0D%0Ab") },
        { "64 kB", "Basic " + Convert.ToBase64String(new byte[48 * 1024]) },
        { "60 kB of a secret", "Basic " + Encoded("service:" + new string('x', 45_000)) },
        { "what is not base64", "Basic !!!!" },
        { "base64url", "Basic " + Encoded("service:???>>>").Replace('/', '_').Replace('+', '-') },
        { "base64 without its padding", "Basic " + Encoded("service:" + IdpServer.Secret + "12").TrimEnd('=') },
        { "another scheme", "Bearer " + Encoded("service:" + IdpServer.Secret) },
        { "a scheme that begins alike", "Basically " + Encoded("service:" + IdpServer.Secret) },
    };

    [Theory, MemberData(nameof(BrokenHeaders))]
    [Trait("Case", "CLA-07")]
    public async Task A_broken_Authorization_header_is_invalid_client(string what, string header)
    {
        Assert.NotNull(what);
        await _server.Refused(Invariants.Raw(Token, header, "grant_type=client_credentials"), 401, "invalid_client");
    }

    [Fact]
    [Trait("Case", "CLA-07")]
    public async Task The_scheme_is_case_insensitive_and_id_and_secret_are_form_encoded()
    {
        var encoded = Encoded("service:" + IdpServer.Secret);
        foreach (var scheme in (string[])["basic", "BASIC", "bAsIc"])
            Assert.Equal(200, (await _server.Sent(Invariants.Raw(Token, $"{scheme} {encoded}", "grant_type=client_credentials"))).Status);

        await AddOnce("odd", "client_credentials", c => c.DefaultScopes = ["items:read"], secret: "a:b +%é/€");
        Assert.Equal(200, (await _server.Sent(Invariants.Raw(Token, "Basic " + Encoded("odd:a%3Ab+%2B%25%C3%A9%2F%E2%82%AC"), "grant_type=client_credentials"))).Status);
        // The first colon ends the id; one in the secret needs no escape. A plus sign is a space.
        Assert.Equal(200, (await _server.Sent(Invariants.Raw(Token, "Basic " + Encoded("odd:a:b+%2b%25é/€"), "grant_type=client_credentials"))).Status);
        await _server.Refused(Invariants.Raw(Token, "Basic " + Encoded("odd:a:b++%25é/€"), "grant_type=client_credentials"), 401, "invalid_client");
    }

    [Theory, InlineData("a\0b"), InlineData("é"), InlineData("\ud83d\ude00"), InlineData("' OR 1=1--"), InlineData("service "), InlineData(" service"), InlineData("SERVICE"), InlineData("\r\nservice")]
    [Trait("Case", "CLA-02")]
    [Trait("Case", "UNI-07")]
    public async Task An_id_that_no_client_can_have_is_an_unknown_client(string id)
    {
        await _server.Refused(401, "invalid_client", Token, null, Grant, ("client_id", id), ("client_secret", IdpServer.Secret));
        await _server.Refused(401, "invalid_client", Token, null, Grant, ("client_id", id));
        await _server.Refused(401, "invalid_client", Token, null, Grant, ("client_id", new string('a', 3000) + id), ("client_secret", IdpServer.Secret));
    }

    [Fact]
    [Trait("Case", "CLA-12")]
    public async Task A_secret_ends_when_it_expires_and_its_successor_goes_on()
    {
        await _server.AddClient("rotating", "client_credentials", "items:read", c =>
        {
            c.DefaultScopes = ["items:read"];
            c.Secrets.Single().ExpiresAt = _server.Clock.GetUtcNow().AddMinutes(10);
            c.Secrets.Add(_server.App.Services.GetRequiredService<SecretHash>().Make("the-next-secret-0123456789", null));
        });
        Assert.Equal(200, (await _server.Post(Token, "rotating", Grant)).Status);

        _server.Clock.Advance(TimeSpan.FromMinutes(10));

        await _server.Refused(401, "invalid_client", Token, "rotating", Grant);
        Assert.Equal(200, (await _server.Sent(Invariants.Form(Token, "rotating", "the-next-secret-0123456789", Grant))).Status);
    }

    [Fact]
    public async Task Basic_with_an_empty_secret_is_a_public_client()
    {
        await AddOnce("public-password", "password", c => (c.AllowPublicPasswordGrant, c.DefaultScopes) = (true, ["items:read"]), secret: null);
        (string, string)[] form = [("grant_type", "password"), ("username", "alice"), ("password", IdpServer.Password)];

        Assert.Equal(200, (await _server.Post(Token, "public-password", "", form)).Status);
        Assert.Equal(200, (await _server.Post(Token, null, [.. form, ("client_id", "public-password")])).Status);
    }

    private async Task AddOnce(string id, string grants, Action<Client> configure, string? secret = null)
    {
        if ((await _server.App.Services.GetRequiredService<ClientDirectory>().Find(id, CancellationToken.None)) is null)
            await _server.AddClient(id, grants, "items:read", configure, secret);
    }

    private static string Encoded(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    private static IEnumerable<string> Headers(Answer answer) =>
        answer.Response.Headers.Concat(answer.Response.Content.Headers).Where(h => h.Key != "Date").Select(h => $"{h.Key}: {string.Join(",", h.Value)}").Order(StringComparer.Ordinal);
}
