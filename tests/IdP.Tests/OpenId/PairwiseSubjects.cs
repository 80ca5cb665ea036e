using IdP.Testing;
using IdP.Tests.Conformance;
using IdP.Tests.Support;
using Xunit;

namespace IdP.Tests.OpenId;

/// <summary>OpenID Connect Core §8: what clients of different sectors know a person by has nothing in common.</summary>
public sealed class S8_PairwiseSubjects(PageServer fixture) : IClassFixture<PageServer>
{
    private readonly IdpServer _server = fixture.Server;

    [Fact]
    [Trait("Case", "USR-04")]
    public async Task Everything_that_a_client_gets_to_see_has_the_same_subject_which_is_not_the_accounts_own()
    {
        Assert.Equal(["public", "pairwise"], CommonChecks.List(await _server.Metadata(), "subject_types_supported"));
        using var browser = new Browser(_server);
        var account = (await browser.Walked(_server, new CodeFlow())).Subject;
        var flow = await Client("pairwise", "sector.test");
        var walked = await browser.Walked(_server, flow);
        var refreshed = await _server.Post("/connect/token", "pairwise", ("grant_type", "refresh_token"), ("refresh_token", walked.Tokens.Json["refresh_token"]!.GetValue<string>()));

        Assert.NotEqual(account, walked.Subject);
        string[] seen =
        [
            walked.Subject, walked.Tokens.Claims["sub"]!.GetValue<string>(), (await _server.UserInfo(walked.Tokens.AccessToken)).Json["sub"]!.GetValue<string>(),
            (await _server.Introspect(walked.Tokens.AccessToken, "pairwise")).Json["sub"]!.GetValue<string>(), (await _server.Introspect(walked.Tokens.AccessToken)).Json["sub"]!.GetValue<string>(),
            (await _server.Verified(refreshed, "pairwise", nonce: null))["sub"]!.GetValue<string>(), refreshed.Claims["sub"]!.GetValue<string>(),
        ];
        Assert.Single(seen.Distinct(StringComparer.Ordinal));
        // The account's own id is in nothing that the client holds, not even where it would have to look for it.
        foreach (var token in (string[])[walked.Tokens.Body, refreshed.Body, walked.IdToken!.ToJsonString(), walked.Tokens.Claims.ToJsonString()])
            Assert.DoesNotContain(account, token, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    [Trait("Case", "USR-04")]
    public async Task One_sector_knows_a_person_by_one_subject_and_another_sector_by_another()
    {
        var (one, same, other) = (await Client("one", "shared.test"), await Client("same", "shared.test"), await Client("other", "elsewhere.test"));
        using var browser = new Browser(_server);
        var first = (await browser.Walked(_server, one)).Subject;
        Assert.Equal(first, (await browser.Walked(_server, same)).Subject);
        var elsewhere = (await browser.Walked(_server, other)).Subject;
        Assert.NotEqual(first, elsewhere);

        using var bobs = new Browser(_server);
        var bob = (await bobs.Walked(_server, one, "bob")).Subject;
        Assert.DoesNotContain(bob, (string[])[first, elsewhere]);
        // The next sign-in, days later and from another browser, is the same person.
        _server.Clock.Advance(TimeSpan.FromDays(3));
        using var later = new Browser(_server);
        Assert.Equal(first, (await later.Walked(_server, Again(one))).Subject);
    }

    [Fact]
    [Trait("Case", "USR-04")]
    public async Task A_hint_and_a_subject_asked_for_by_value_mean_whom_the_client_knows_by_them()
    {
        var flow = await Client("hinting", "hinting.test");
        using var browser = new Browser(_server);
        var walked = await browser.Walked(_server, flow);
        var account = (await browser.Walked(_server, new CodeFlow())).Subject;

        foreach (var (parameter, value) in ((string, string)[])[("id_token_hint", walked.RawIdToken), ("claims", $$$$"""{"id_token":{"sub":{"value":"{{{{walked.Subject}}}}"}}}""")])
        {
            var silent = Again(flow, (parameter, value));
            Assert.Equal(walked.Subject, (await _server.Redeemed(silent, await browser.Authorize(silent.Parameters()))).Subject);
        }
        // The account's own id is nobody in this sector.
        var foreign = Again(flow, ("claims", $$$$"""{"id_token":{"sub":{"value":"{{{{account}}}}"}}}"""));
        (await browser.Authorize(foreign.Parameters())).IsRefused(_server, foreign, "login_required");
    }

    private async Task<CodeFlow> Client(string id, string sector)
    {
        var flow = new CodeFlow { ClientId = id, RedirectUri = $"https://{id}.test/callback", Scope = "openid offline_access items:read" };
        await _server.AddClient(id, "authorization_code refresh_token", flow.Scope, c => (c.RedirectUris, c.Sector) = ([flow.RedirectUri], sector));
        return flow;
    }

    private static CodeFlow Again(CodeFlow flow, (string Name, string Value)? with = null)
    {
        var again = new CodeFlow { ClientId = flow.ClientId, RedirectUri = flow.RedirectUri, Scope = flow.Scope };
        if (with is { } parameter) (again.With["prompt"], again.With[parameter.Name]) = ("none", parameter.Value);
        return again;
    }
}
