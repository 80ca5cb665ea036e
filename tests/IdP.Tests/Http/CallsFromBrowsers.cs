using IdP.Testing;
using IdP.Tests.Support;
using Xunit;

namespace IdP.Tests.Http;

/// <summary>CORS: a preflight does not say which client it is for, so it knows every registered origin; the request itself only its client's.</summary>
public sealed class CallsFromBrowsers(SqliteServer fixture) : IClassFixture<SqliteServer>, IAsyncLifetime
{
    private const string First = "https://first.example";
    private const string Second = "http://localhost:3000";
    private readonly IdpServer _server = fixture.Server;

    public async Task InitializeAsync()
    {
        if ((await _server.Introspect("t", "first")).Status != 401) return;
        await _server.AddClient("first", "client_credentials password", "items:read", c => c.Origins = [First]);
        await _server.AddClient("second", "client_credentials", "items:read", c => c.Origins = [Second]);
        await _server.AddClient("over", "client_credentials", "items:read", c => (c.Origins, c.DisabledAt) = (["https://over.example"], DateTimeOffset.UnixEpoch));
    }

    public Task DisposeAsync() => Task.CompletedTask;

    [Theory, InlineData("/connect/token"), InlineData("/connect/revoke")]
    public async Task A_preflight_of_a_registered_origin_is_allowed_what_a_client_needs(string path)
    {
        foreach (var origin in (string[])[First, Second])
        {
            var answer = await Preflight(path, origin);
            Assert.Equal(204, answer.Status);
            Assert.Equal(origin, answer.Header("Access-Control-Allow-Origin"));
            Assert.Equal("POST", answer.Header("Access-Control-Allow-Methods"));
            Assert.Equal("Authorization, Content-Type, X-Requested-With", answer.Header("Access-Control-Allow-Headers"));
            Assert.Contains("Origin", answer.Header("Vary"), StringComparison.Ordinal);
            // Cookies are nothing that these endpoints know.
            Assert.Equal("", answer.Header("Access-Control-Allow-Credentials"));
        }
    }

    public static TheoryData<string> Strangers => ["https://evil.example", "https://first.example.evil.example", "https://first.example:8443", "http://first.example", "https://FIRST.example", "https://first.example/", "null", "*", "", "https://first.example, https://evil.example", "https://over.example", "http://localhost:3001"];

    [Theory, MemberData(nameof(Strangers))]
    public async Task No_other_origin_is_told_anything(string origin)
    {
        foreach (var path in (string[])["/connect/token", "/connect/revoke", "/connect/introspect", "/.well-known/jwks.json"])
        {
            var answer = await Preflight(path, origin);
            Assert.DoesNotContain(answer.Response.Headers, header => header.Key.StartsWith("Access-Control-", StringComparison.OrdinalIgnoreCase));
        }
        var token = Invariants.Form("/connect/token", "first", ("grant_type", "client_credentials"), ("scope", "items:read"));
        token.Headers.TryAddWithoutValidation("Origin", origin);
        var given = await _server.Sent(token);
        Assert.Equal(200, given.Status);
        Assert.Equal("", given.Header("Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task The_request_itself_may_be_read_by_its_own_clients_origin_only()
    {
        foreach (var (client, origin, allowed) in ((string, string, string)[])[("first", First, First), ("first", Second, ""), ("second", Second, Second), ("second", First, ""), ("service", First, "")])
            foreach (var path in (string[])["/connect/token", "/connect/revoke"])
            {
                var request = Invariants.Form(path, client, ("grant_type", "client_credentials"), ("scope", "items:read"), ("token", "t"));
                request.Headers.Add("Origin", origin);
                var answer = await _server.Sent(request);
                Assert.Equal((200, allowed), (answer.Status, answer.Header("Access-Control-Allow-Origin")));
                Assert.Contains("Origin", answer.Header("Vary"), StringComparison.Ordinal);
            }
    }

    [Fact]
    public async Task A_refusal_may_be_read_as_well_once_it_is_known_whose_it_is()
    {
        var refused = Invariants.Form("/connect/token", "first", ("grant_type", "password"), ("username", "alice"), ("password", "wrong"), ("scope", "items:read"));
        refused.Headers.Add("Origin", First);
        Assert.Equal(First, (await _server.Refused(refused, 400, "invalid_grant")).Header("Access-Control-Allow-Origin"));

        var unknown = Invariants.Form("/connect/token", "first", "wrong", ("grant_type", "client_credentials"));
        unknown.Headers.Add("Origin", First);
        Assert.Equal("", (await _server.Refused(unknown, 401, "invalid_client")).Header("Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task Introspection_is_for_servers()
    {
        var request = Invariants.Form("/connect/introspect", "first", ("token", "t"));
        request.Headers.Add("Origin", First);

        Assert.Equal("", (await _server.Sent(request)).Header("Access-Control-Allow-Origin"));
        Assert.Equal(405, (await Preflight("/connect/introspect", First)).Status);
    }

    private Task<Answer> Preflight(string path, string origin)
    {
        var request = new HttpRequestMessage(HttpMethod.Options, path);
        if (origin.Length > 0) request.Headers.TryAddWithoutValidation("Origin", origin);
        request.Headers.Add("Access-Control-Request-Method", "POST");
        request.Headers.Add("Access-Control-Request-Headers", "authorization,x-requested-with");
        return _server.Send(request);
    }
}
