using System.Security.Cryptography;
using IdP.Account;
using IdP.ApiKeys;
using IdP.Audit;
using IdP.Clients;
using IdP.Consents;
using IdP.Passkeys;
using IdP.Resources;
using IdP.Sessions;
using IdP.Ui;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace IdP.Browser.Tests;

/// <summary>LGN-14: markup and scripts in every text that a page shows are text, and nothing else.</summary>
[Collection(nameof(Chromium))]
[Trait("Case", "LGN-14")]
public sealed class HostileTexts(Chromium chromium)
{
    private static readonly string[] Corpus =
    [
        "<script>alert(1)</script>", "\"><script>alert(1)</script>", "'><img src=x onerror=alert(1)>", "\" autofocus onfocus=\"alert(1)", "</title><script>alert(1)</script>",
        "</textarea><svg onload=alert(1)>", "{{constructor.constructor('alert(1)')()}}", "<iframe src=\"javascript:alert(1)\">", "<meta http-equiv=refresh content=\"0;url=https://evil.example/\">",
        "<base href=https://evil.example/>", "<form action=https://evil.example/><button id=stolen>", "<style>*{display:none}</style>", "&lt;script&gt;alert(1)&lt;/script&gt;", "{0}{1}%s",
        "<a id=consent-accept href=javascript:alert(1)>x</a>", "\u202etpircs\u202c", "<!--", "]]>", "<bdi></bdi><img src=x onerror=alert(1)>",
    ];

    private static readonly string[] Addresses =
        ["javascript:alert(1)", "data:text/html,<script>alert(1)</script>", "vbscript:msgbox(1)", "https://x/\" onerror=\"alert(1)", "https://x/'><script>alert(1)</script>", "//evil.example/x", "https://x; script-src *"];

    [Fact]
    public async Task Names_scopes_hints_and_state_stay_text()
    {
        var server = chromium.Server;
        for (var i = 0; i < Corpus.Length; i++)
        {
            var (text, number) = (Corpus[i], i);
            var scope = $"hostile:{number}";
            await server.AddResource($"urn:hostile:{number}", [scope]);
            await server.Change(async (db, version) =>
            {
                var stored = db.Set<Scope>().Single(s => s.Name == scope);
                (stored.Description, stored.Version) = (text, version);
                await db.SaveChangesAsync();
            });
            await server.AddUser($"hostile{number}", configure: user => user.Name = text);
            await chromium.App.Register(server, $"hostile-{number}", client => (client.Name, client.Scopes) = (text, ["openid", scope]));
            await using var tab = await chromium.Open();
            var flow = new CodeFlow { ClientId = $"hostile-{number}", RedirectUri = chromium.App.Callback, Scope = $"openid {scope}", State = text, With = { ["login_hint"] = text } };

            await tab.Authorize(flow);
            Assert.Equal((text, text), (await tab.Page.Locator("#client-name").TextContentAsync(), await tab.Page.InputValueAsync("#username")));
            await Inert(tab);
            await tab.SignIn(text, "wrong");
            Assert.Equal(text, await tab.Page.InputValueAsync("#username"));
            await Inert(tab);
            await tab.SignIn($"hostile{number}");
            await tab.Page.WaitForSelectorAsync("#consent-accept");
            Assert.Contains(text, await tab.Page.Locator("#consent-wants").TextContentAsync(), StringComparison.Ordinal);
            Assert.Contains(text, await tab.Page.Locator("#consent-items").TextContentAsync(), StringComparison.Ordinal);
            await Inert(tab);
            await tab.Page.ClickAsync("#consent-accept");
            await tab.Page.WaitForSelectorAsync("#arrived");
            Assert.Equal(text, chromium.App.Seen.Last(seen => seen.Path == "/callback").Parameters["state"]);
        }
    }

    [Fact]
    public async Task What_people_programs_and_browsers_call_themselves_stays_text_on_every_account_page()
    {
        var server = chromium.Server;
        var user = await server.AddUser("hostile-account", configure: u => (u.Name, u.Nickname, u.Profile) = (Corpus[0], Corpus[1], Corpus[2]));
        for (var i = 0; i < Corpus.Length; i++)
        {
            var number = i;
            await chromium.App.Register(server, $"account-hostile-{i}", client => client.Name = Corpus[number]);
            var name = Corpus[i].Length <= ApiKey.LongestName ? Corpus[i] : Corpus[i][..ApiKey.LongestName];
            await server.Database.Write(async db => (await server.App.Services.GetRequiredService<ApiKeyStatements>().AddForUser(
                db, "hostile-account", new NewApiKey("placeholder", IdpServer.Api, ["items:read"], null), new ApiKeyActor("cli"), CancellationToken.None)).Stored.Id, CancellationToken.None);
            await server.Change(async (db, _) => await db.Set<ApiKey>().Where(k => k.Name == "placeholder").ExecuteUpdateAsync(set => set.SetProperty(k => k.Name, name)));
        }
        await server.Change(async (db, _) =>
        {
            var now = server.Clock.GetUtcNow();
            var clients = await db.Set<Client>().Where(c => c.ClientId.StartsWith("account-hostile-")).ToListAsync();
            foreach (var client in clients) db.Add(new Consent { UserId = user.Id, ClientKey = client.Id, Items = "openid", ClientDigest = new byte[32], GivenAt = now });
            foreach (var text in Corpus)
            {
                db.Add(new Passkey { Id = Guid.CreateVersion7(now), UserId = user.Id, CredentialId = RandomNumberGenerator.GetBytes(16), PublicKey = [1], Name = text.Length <= Passkey.LongestName ? text : text[..Passkey.LongestName], CreatedAt = now });
                db.Add(new Session { Id = Guid.CreateVersion7(now), UserId = user.Id, Seed = new byte[32], CreatedAt = now, AuthenticatedAt = now, Acr = "a", Amr = "pwd", LastUsedAt = now, IdleExpiresAt = now.AddHours(1), AbsoluteExpiresAt = now.AddHours(1), Browser = text, Address = "192.0.2.1" });
                AuditEvent.Record(db, now, new ConsentWithdrawn(Told.Of(text)), $"client:{text}", $"user:{user.Subject}", text.Length <= 64 ? text : null);
            }
            await db.SaveChangesAsync();
        });
        await using var tab = await chromium.Open();
        await tab.Page.GotoAsync(server.Url + AccountSection.Overview);
        await tab.SignIn("hostile-account");
        await tab.Page.WaitForSelectorAsync("nav ul.sections");
        foreach (var section in AccountSection.All)
        {
            await tab.Page.GotoAsync(server.Url + section.Path);
            Assert.Equal(section.Path, new Uri(tab.Page.Url).AbsolutePath);
            // The picture of an authenticator app is ours.
            await tab.Page.EvaluateAsync("document.querySelectorAll('svg.qr').forEach(e => e.remove())");
            await Inert(tab);
            var shown = await tab.Page.InnerTextAsync("main");
            if (section.Path == AccountSection.Apps) Assert.Equal(Corpus.Length, await tab.Page.Locator("#apps > li").CountAsync());
            if (section.Path == AccountSection.ApiKeys) Assert.Contains(Corpus[0], shown, StringComparison.Ordinal);
            if (section.Path == PageAddresses.Passkeys) Assert.Contains(Corpus[0], shown, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_user_name_stays_text_where_one_chooses_the_account()
    {
        const string name = "<img src=x onerror=alert(1)>";
        await chromium.Server.AddUser(name);
        await using var tab = await chromium.Open();
        await tab.Authorize(chromium.Flow(with: ("prompt", "consent")));
        await tab.SignIn(name);
        await tab.Page.WaitForSelectorAsync("#consent-accept");
        await tab.Authorize(chromium.Flow(with: ("prompt", "select_account")));

        Assert.Equal($"Continue as {name}", await tab.Page.Locator("#account-continue").TextContentAsync());
        await Inert(tab);
    }

    [Fact]
    public async Task Addresses_that_are_none_of_the_web_are_not_shown()
    {
        for (var i = 0; i < Addresses.Length; i++)
        {
            var address = Addresses[i];
            // Into the table, past the checks of registration.
            await chromium.App.Register(chromium.Server, $"address-{i}", client => (client.LogoUri, client.PolicyUri, client.TermsUri) = (address, address, address));
            await using var tab = await chromium.Open();
            await tab.Authorize(new CodeFlow { ClientId = $"address-{i}", RedirectUri = chromium.App.Callback });
            await Inert(tab, allowedLoads: true);
            foreach (var link in await tab.Page.Locator("#policy-uri, #tos-uri").AllAsync())
            {
                Assert.Equal("https:", await link.EvaluateAsync<string>("a => a.protocol"));
                Assert.Equal(["id", "href", "rel", "target"], await link.EvaluateAsync<string[]>("a => [...a.attributes].map(x => x.name)"));
            }
            Assert.DoesNotContain("evil.example", string.Join(' ', tab.Requests), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task What_the_error_page_quotes_stays_text()
    {
        await using var tab = await chromium.Open();
        foreach (var text in Corpus)
        {
            var value = Uri.EscapeDataString(text);
            foreach (var query in (string[])[$"client_id={value}", $"client_id={Chromium.AppId}&redirect_uri={value}", $"continue={value}", $"posted={value}", $"{value}={value}&{value}={value}", $"error_description={value}"])
            {
                await tab.Page.GotoAsync($"{chromium.Server.Url}/connect/authorize?{query}");
                Assert.Equal(1, await tab.Page.Locator("#op-error").CountAsync());
                await Inert(tab, allowedLoads: true);
            }
        }
    }

    /// <summary>No element that is not ours, no dialog, no attempt that a policy had to stop.</summary>
    private static async Task Inert(Tab tab, bool allowedLoads = false)
    {
        Assert.DoesNotContain(tab.Complaints, complaint => complaint.StartsWith("dialog", StringComparison.Ordinal) || complaint.StartsWith("script:", StringComparison.Ordinal) || complaint.Contains("script-src", StringComparison.Ordinal));
        // The browser itself says that a page was 400 or a logo could not be had.
        if (!allowedLoads) Assert.DoesNotContain(tab.Complaints, complaint => !complaint.Contains("status of 400", StringComparison.Ordinal));
        Assert.Equal(0, await tab.Page.Locator("script:not([src^='/ui/']), iframe, base, style, svg, meta[http-equiv], #stolen, a#consent-accept").CountAsync());
        Assert.True(await tab.Page.EvaluateAsync<bool>("[...document.querySelectorAll('*')].every(e => [...e.attributes].every(a => !a.name.startsWith('on')))"));
        Assert.True(await tab.Page.EvaluateAsync<bool>("[...document.forms].every(f => new URL(f.action).origin === location.origin)"));
    }
}
