using IdP.Testing;
using Xunit;

namespace IdP.Tests.Conformance;

/// <summary>Modules of the Basic plan about who is signed in, since when, and whether a page may be shown.</summary>
public abstract class SignInModules(ConformanceProvider provider, string mode)
{
    [Fact]
    [Trait("Module", "oidcc-prompt-login")]
    public async Task Prompt_login_signs_in_again_and_auth_time_is_later()
    {
        using var party = await Party();
        var first = await party.Fly(party.Request());
        provider.Server.Clock.Advance(TimeSpan.FromSeconds(1));

        var request = party.Request(("prompt", "login"));
        var page = await party.Browser.Authorize(request);
        Assert.True(RelyingParty.IsSignIn(page), page.Body);
        var second = await party.Finish(request, page);
        Assert.True(second.AuthTime > first.AuthTime);
        Assert.Equal(first.Subject, second.Subject);
    }

    [Fact]
    [Trait("Module", "oidcc-prompt-none-not-logged-in")]
    public async Task Prompt_none_without_a_session_is_an_error_that_comes_to_the_client()
    {
        using var party = await Party();
        var request = party.Request(("prompt", "none"), ("state", string.Concat(Enumerable.Repeat("abcdEFGH", 16))));
        Assert.Equal(128, request["state"].Length);
        party.Refused(request, await party.Browser.Authorize(request), "login_required", "interaction_required", "account_selection_required", "consent_required");
    }

    [Fact]
    [Trait("Module", "oidcc-prompt-none-logged-in")]
    public async Task Prompt_none_with_a_session_answers_at_once_for_the_same_sign_in()
    {
        using var party = await Party();
        var first = await party.Fly(party.Request());
        provider.Server.Clock.Advance(TimeSpan.FromSeconds(1));
        Same(first, await party.FlyWithoutPage(party.Request(("prompt", "none"))));
    }

    [Fact]
    [Trait("Module", "oidcc-max-age-1")]
    public async Task After_max_age_the_person_signs_in_again()
    {
        using var party = await Party();
        var first = await party.Fly(party.Request());
        provider.Server.Clock.Advance(TimeSpan.FromSeconds(2));

        var request = party.Request(("max_age", "1"));
        var page = await party.Browser.Authorize(request);
        Assert.True(RelyingParty.IsSignIn(page), page.Body);
        var second = await party.Finish(request, page);
        Assert.True(second.AuthTime > first.AuthTime);
        Assert.InRange(provider.Server.Clock.GetUtcNow().ToUnixTimeSeconds() - second.AuthTime, 0, 60);
    }

    [Fact]
    [Trait("Module", "oidcc-max-age-10000")]
    public async Task Within_max_age_nobody_signs_in_again()
    {
        using var party = await Party();
        var first = await party.Fly(party.Request(("max_age", "15000")));
        provider.Server.Clock.Advance(TimeSpan.FromSeconds(1));
        Same(first, await party.FlyWithoutPage(party.Request(("max_age", "10000"))));
    }

    [Fact]
    [Trait("Module", "oidcc-id-token-hint")]
    public async Task A_hint_of_whoever_is_signed_in_answers_at_once_for_the_same_sign_in()
    {
        using var party = await Party();
        var first = await party.Fly(party.Request());
        provider.Server.Clock.Advance(TimeSpan.FromSeconds(1));
        Same(first, await party.FlyWithoutPage(party.Request(("prompt", "none"), ("id_token_hint", first.RawIdToken))));
    }

    private Task<RelyingParty> Party() => RelyingParty.Start(provider.Server, mode);

    private static void Same(Flown first, Flown second) => Assert.Equal((first.Subject, first.AuthTime), (second.Subject, second.AuthTime));
}

[Trait("Plan", "oidcc-basic")]
public sealed class BasicPlanSignIn(ConformanceProvider provider) : SignInModules(provider, "query"), IClassFixture<ConformanceProvider>;

[Trait("Plan", "oidcc-formpost-basic")]
public sealed class FormPostPlanSignIn(ConformanceProvider provider) : SignInModules(provider, "form_post"), IClassFixture<ConformanceProvider>;
