using IdP.Passkeys;
using IdP.Roles;
using Microsoft.EntityFrameworkCore;

namespace IdP.Browser.Tests;

/// <summary>Passkeys in a real browser, with its virtual authenticator: the script, the policy of the pages, both languages.</summary>
[Collection(nameof(Chromium))]
public sealed class Passkeys(Chromium chromium)
{
    [Theory]
    [InlineData("en-GB", "Create a passkey", ColorScheme.Light)]
    [InlineData("de-DE", "Passkey anlegen", ColorScheme.Dark)]
    public async Task A_person_adds_a_passkey_and_signs_in_with_it_by_the_button_and_by_autofill(string locale, string create, ColorScheme scheme)
    {
        var user = await chromium.Server.AddUser($"keys-{Guid.NewGuid():N}");
        await using var tab = await chromium.Open(new BrowserNewContextOptions { Locale = locale, ColorScheme = scheme, ViewportSize = new ViewportSize { Width = 360, Height = 800 } });
        await Authenticator(tab);
        await tab.Page.GotoAsync(chromium.Server.Url + "/account/passkeys");
        // One who has no passkeys is not kept from the password by what waits for one.
        await tab.SignIn(user.UserName!);
        await tab.Page.ClickAsync("#passkey-later");
        await tab.Page.WaitForSelectorAsync("#passkeys-none");
        Assert.Equal(create, await tab.Page.InnerTextAsync("#passkey-submit"));
        Assert.False(await tab.Page.IsVisibleAsync("#passkeys-unsupported"));
        await IsClean(tab, "no passkeys");
        await tab.Page.FillAsync("#name", "My phone");
        await tab.Page.ClickAsync("#passkey-submit");
        await tab.Page.WaitForSelectorAsync("#notice");
        await tab.Page.ClickAsync("summary");
        await IsClean(tab, "one passkey");

        await tab.Context.ClearCookiesAsync();
        // Autofill: the virtual authenticator takes what it is offered without a click.
        await tab.Authorize(chromium.Flow("openid"));
        await tab.Page.WaitForSelectorAsync("#consent-accept");
        await tab.Context.ClearCookiesAsync();
        await tab.Page.AddInitScriptAsync("PublicKeyCredential.isConditionalMediationAvailable = async () => false");
        await tab.Authorize(chromium.Flow("openid", ("prompt", "consent")));
        await tab.Page.WaitForSelectorAsync("#passkey-submit");
        await IsClean(tab, "sign in");
        await tab.Page.ClickAsync("#passkey-submit");
        await tab.Page.ClickAsync("#consent-accept");
        await tab.Page.WaitForSelectorAsync("#arrived");

        Assert.Empty(tab.Complaints);
        await using var db = chromium.Server.Database.OpenForReading();
        var passkey = await db.Set<Passkey>().SingleAsync(p => p.UserId == user.Id);
        Assert.Equal("My phone", passkey.Name);
        Assert.NotNull(passkey.LastUsedAt);
    }

    [Theory]
    [InlineData("en-GB", ColorScheme.Dark)]
    [InlineData("de-DE", ColorScheme.Light)]
    public async Task Whoever_must_have_a_passkey_makes_one_and_uses_it_at_once(string locale, ColorScheme scheme)
    {
        var user = await chromium.Server.AddUser($"must-{Guid.NewGuid():N}");
        await chromium.Server.Demand(RoleDemand.Passkey, user.UserName!, user.UserName!);
        await using var tab = await chromium.Open(new BrowserNewContextOptions { Locale = locale, ColorScheme = scheme, ViewportSize = new ViewportSize { Width = 360, Height = 800 } });
        await Authenticator(tab);
        await tab.Authorize(chromium.Flow("openid"));
        await tab.SignIn(user.UserName!);
        await tab.Page.ClickAsync("#passkey-later");
        await tab.Page.WaitForSelectorAsync("#passkey-form[data-passkey=create]:visible");
        Assert.Equal(0, await tab.Page.Locator("#passkey-later").CountAsync());
        await IsClean(tab, "demanded");
        // The virtual authenticator would take what the browser offers by itself before anybody sees the page.
        await tab.Page.AddInitScriptAsync("PublicKeyCredential.isConditionalMediationAvailable = async () => false");
        await tab.Page.ClickAsync("#passkey-submit");
        await tab.Page.WaitForSelectorAsync("#passkey-form[data-passkey=get]:visible");
        await IsClean(tab, "used at once");
        await tab.Page.ClickAsync("#passkey-submit");
        await tab.Page.ClickAsync("#consent-accept");
        await tab.Page.WaitForSelectorAsync("#arrived");
        Assert.Empty(tab.Complaints);
    }

    [Fact]
    public async Task The_offer_after_a_password_makes_a_passkey_and_leads_on()
    {
        var user = await chromium.Server.AddUser($"offer-{Guid.NewGuid():N}");
        await using var tab = await chromium.Open();
        await Authenticator(tab);
        await tab.Authorize(chromium.Flow("openid"));
        await tab.SignIn(user.UserName!);
        await tab.Page.WaitForSelectorAsync("#passkey-later");
        await IsClean(tab, "offer");
        await tab.Page.ClickAsync("#passkey-submit");
        await tab.Page.ClickAsync("#consent-accept");
        await tab.Page.WaitForSelectorAsync("#arrived");

        Assert.Empty(tab.Complaints);
        await using var db = chromium.Server.Database.OpenForReading();
        Assert.Equal(1, await db.Set<Passkey>().CountAsync(p => p.UserId == user.Id));
    }

    [Fact]
    public async Task Whoever_breaks_off_reads_why_and_can_go_on_with_a_password()
    {
        await using var tab = await chromium.Open();
        await tab.Page.AddInitScriptAsync("navigator.credentials.get = async options => { if (options.mediation !== 'conditional') throw new DOMException('no', 'NotAllowedError'); return new Promise(() => {}); }");
        await tab.Authorize(chromium.Flow("openid", ("prompt", "consent")));
        await tab.Page.ClickAsync("#passkey-submit");
        await tab.Page.WaitForSelectorAsync("[data-problem]:visible");
        await IsClean(tab, "broken off");
        await tab.SignIn();
        await tab.Page.WaitForSelectorAsync("#consent-accept");
    }

    /// <summary>Chrome DevTools Protocol, domain WebAuthn: a device with a fingerprint reader that recognizes its owner at once.</summary>
    internal static async Task Authenticator(Tab tab)
    {
        var devtools = await tab.Context.NewCDPSessionAsync(tab.Page);
        await devtools.SendAsync("WebAuthn.enable", new Dictionary<string, object> { ["enableUI"] = false });
        await devtools.SendAsync("WebAuthn.addVirtualAuthenticator", new Dictionary<string, object>
        {
            ["options"] = new Dictionary<string, object>
            {
                ["protocol"] = "ctap2", ["transport"] = "internal", ["hasResidentKey"] = true, ["hasUserVerification"] = true, ["isUserVerified"] = true, ["automaticPresenceSimulation"] = true,
            },
        });
    }

    private static async Task IsClean(Tab tab, string name)
    {
        await Accessibility.IsClean(tab, name);
        Assert.True(await tab.Fits(), name);
    }
}
