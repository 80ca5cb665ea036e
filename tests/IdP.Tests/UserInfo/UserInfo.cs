using System.Net.Http.Headers;
using IdP.Testing;
using IdP.Tests.Support;
using Xunit;

namespace IdP.Tests.UserInfo;

/// <summary>OpenID Connect Core §5.3 and RFC 6750 at the userinfo endpoint.</summary>
public sealed class UserInfoEndpoint(SqliteServer fixture) : IClassFixture<SqliteServer>, IAsyncLifetime
{
    private const string Path = "/connect/userinfo";
    private const string Everything = "openid profile email address phone";
    private const string Origin = "https://app.example";
    private IdpServer Server => fixture.Server;

    public async Task InitializeAsync()
    {
        if ((await Server.PasswordGrant("full", clientId: "reader", scope: "openid")).Status == 200) return;
        await Server.AddClient("reader", "password client_credentials", Everything + " items:read", c => c.Origins = [Origin]);
        await Server.AddUser("full", configure: u =>
        {
            (u.Name, u.GivenName, u.FamilyName, u.MiddleName, u.Nickname) = ("Full Name", "Full", "Name", "Middle", "Nick");
            (u.Profile, u.Picture, u.Website) = ("https://p.example", "https://p.example/i", "https://w.example");
            (u.Gender, u.Birthdate, u.ZoneInfo, u.Locale) = ("female", "1990-01-02", "Europe/Berlin", "en-GB");
            (u.StreetAddress, u.Locality, u.Region, u.PostalCode, u.Country) = ("Road 1", "Town", "Land", "12345", "DE");
            (u.PhoneNumber, u.PhoneNumberConfirmed) = ("+49 1", true);
        });
        await Server.AddUser("bare");
        await Server.AddUser("somewhere", configure: u => (u.Locality, u.Country, u.Region) = ("Town", "DE", ""));
    }

    public Task DisposeAsync() => Task.CompletedTask;

    [Theory]
    [Trait("Case", "USR-03")]
    [InlineData("openid", "sub")]
    [InlineData("openid email", "sub email email_verified")]
    [InlineData("openid phone", "sub phone_number phone_number_verified")]
    [InlineData("openid address", "sub address")]
    [InlineData("openid profile", "sub name family_name given_name middle_name nickname preferred_username profile picture website gender birthdate zoneinfo locale updated_at")]
    public async Task Each_scope_opens_exactly_its_claims(string scope, string claims)
    {
        var answer = await Get(await Token("full", scope));
        Assert.Equal(200, answer.Status);
        Assert.Equal(claims.Split(' ').Order(StringComparer.Ordinal), answer.Json.Select(member => member.Key).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task What_is_unknown_is_left_out()
    {
        var answer = await Get(await Token("bare", Everything));
        Assert.Equal(["email", "email_verified", "preferred_username", "sub", "updated_at"], answer.Json.Select(member => member.Key).Order(StringComparer.Ordinal));
        Assert.All(answer.Json, member => Assert.NotNull(member.Value));
    }

    // OpenID Connect Core §5.1.1: as for a label, one line for each part.
    [Fact]
    public async Task An_address_has_the_parts_that_are_known_and_all_of_them_formatted()
    {
        var full = (await Get(await Token("full", "openid address"))).Json["address"]!.AsObject();
        Assert.Equal(["formatted", "street_address", "locality", "region", "postal_code", "country"], full.Select(part => part.Key));
        Assert.Equal("Road 1\nTown\nLand\n12345\nDE", full["formatted"]!.GetValue<string>());

        var partly = (await Get(await Token("somewhere", "openid address"))).Json["address"]!.AsObject();
        Assert.Equal(["formatted", "locality", "country"], partly.Select(part => part.Key));
        Assert.Equal("Town\nDE", partly["formatted"]!.GetValue<string>());
    }

    [Fact]
    public async Task The_token_may_come_in_the_header_or_in_the_body_of_a_post()
    {
        var token = await Token("full", "openid");
        Assert.Equal(200, (await Send(HttpMethod.Post, token)).Status);
        Assert.Equal(200, (await Server.Sent(Invariants.Form(Path, null, ("access_token", token)))).Status);
        var chunked = Invariants.Form(Path, null, ("access_token", token));
        chunked.Headers.TransferEncodingChunked = true;
        Assert.Equal(200, (await Server.Sent(chunked)).Status);
        var both = Invariants.Form(Path, null, ("access_token", token));
        both.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        Assert.Equal((400, "invalid_request"), Both(await Server.Sent(both)));
    }

    [Fact]
    [Trait("Case", "USR-01")]
    public async Task Without_a_token_the_answer_says_only_how_to_authenticate()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, Path);
        var answer = await Server.Send(request);
        Assert.Equal((401, ""), (answer.Status, answer.Body));
        Assert.Equal("Bearer realm=\"IdP\"", answer.Header("WWW-Authenticate"));
    }

    [Fact]
    [Trait("Case", "USR-01")]
    public async Task A_token_in_the_url_is_not_looked_at_and_not_logged()
    {
        var token = await Token("full", "openid");
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{Path}?access_token={token}");
        Assert.Equal(401, (await Server.Send(request)).Status);
        Assert.DoesNotContain(Server.Log.Lines, line => line.Contains(token, StringComparison.Ordinal));
    }

    [Fact]
    [Trait("Case", "USR-02")]
    public async Task A_token_without_openid_or_without_a_person_is_insufficient()
    {
        foreach (var token in new[] { await Token("full", "items:read"), (await Server.ClientCredentials("reader")).AccessToken })
        {
            var answer = await Get(token);
            Assert.Equal((403, "insufficient_scope"), Both(answer));
            Assert.Contains("error=\"insufficient_scope\"", answer.Header("WWW-Authenticate"), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_revoked_token_and_one_that_is_none_are_invalid()
    {
        var token = await Token("full", "openid");
        Assert.Equal(200, (await Get(token)).Status);
        await Server.Post("/connect/revoke", "reader", ("token", token));
        foreach (var bad in new[] { token, "abc", token + "x" })
        {
            var answer = await Get(bad);
            Assert.Equal((401, "invalid_token"), Both(answer));
            Assert.StartsWith("Bearer realm=\"IdP\", error=\"invalid_token\"", answer.Header("WWW-Authenticate"), StringComparison.Ordinal);
        }
    }

    [Theory]
    [Trait("Case", "USR-07")]
    [InlineData(Origin, Origin)]
    [InlineData("https://other.example", "")]
    public async Task Only_the_clients_own_origin_may_read_the_answer(string origin, string allowed)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, Path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", await Token("full", "openid"));
        request.Headers.Add("Origin", origin);
        Assert.Equal(allowed, (await Server.Send(request)).Header("Access-Control-Allow-Origin"));
    }

    private async Task<string> Token(string user, string scope) => (await Server.PasswordGrant(user, clientId: "reader", scope: scope)).AccessToken;

    private Task<Answer> Get(string token) => Send(HttpMethod.Get, token);

    private async Task<Answer> Send(HttpMethod method, string token)
    {
        using var request = new HttpRequestMessage(method, Path);
        request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {token}");
        var answer = await Server.Send(request);
        Invariants.Hold(answer);
        return answer;
    }

    private static (int, string?) Both(Answer answer) => (answer.Status, answer.Error);
}
