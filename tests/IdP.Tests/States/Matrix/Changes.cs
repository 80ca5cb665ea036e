using IdP.Accounts;
using IdP.ApiKeys;
using IdP.Clients;
using IdP.Consents;
using IdP.Keys;
using IdP.Roles;
using IdP.SecondFactors;
using IdP.Testing;
using IdP.Tests.Account;
using IdP.Tests.Passkeys;
using IdP.Tests.SecondFactors;
using IdP.Tests.Support;
using IdP.Upstream;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace IdP.Tests.States.Matrix;

/// <summary>Something that takes rights away.</summary>
/// <param name="Name">What happens.</param>
/// <param name="Takes">What is gone afterwards: everything else goes on.</param>
/// <param name="Make">Makes it happen.</param>
internal sealed record Change(string Name, Right Takes, Func<World, Task> Make);

/// <summary>All of them: a new one is a line.</summary>
internal static class Changes
{
    // What another password ends, whoever sets it.
    private const Right Proved = Right.Pending | Right.Session | Right.Grants;
    private const string Another = "another-Password-42";

    public static IReadOnlyList<Change> All { get; } =
    [
        new("nothing", Right.None, _ => Task.CompletedTask),
        new("person disabled", Right.Account, w => Both(w, (users, db, name) => users.Disable(db, name, "cli", CancellationToken.None))),
        new("person deleted", Right.Account, w => Both(w, Delete)),
        new("person deleted, and another of the same name", Right.Identity, MadeAgain),
        new("password set by an operator", Right.Password | Proved, SetPasswords),
        new("password changed by its owner", Right.Password | Proved, ChangePasswords),
        new("password reset by mail", Right.Password | Proved, ResetPassword),
        new("other sessions ended by their owner", Right.Session, EndOtherSessions),
        new("signed out by an operator", Proved, w => Both(w, (users, db, name) => users.SignOut(db, name, "cli", CancellationToken.None))),
        new("address changed", Right.Pending, w => Both(w, (users, db, name) => users.ChangeEmail(db, name, $"new-{name}@example.com", "cli", null, CancellationToken.None))),
        new("second factors reset by an operator, and another app set up", Right.SecondFactor, AnotherApp),
        new("passkey removed", Right.Passkey, RemovePasskey),
        new("consent withdrawn", Right.Consent | Right.Grants, WithdrawConsent),
        new("role taken away", Right.Role, w => w.Change((services, db, _) => services.GetRequiredService<RoleStatements>().Unassign(db, w.Role, new RoleHolder(w.Person, null), "cli", CancellationToken.None))),
        new("API keys revoked", Right.ApiKey, async w => Assert.True(await w.Server.Revoke(w.ApiKey) && await w.Server.Revoke(w.ClientApiKey))),
        new("other provider disabled", Right.Upstream, w => w.Change((services, db, _) => services.GetRequiredService<UpstreamStatements>().Disable(db, w.Upstream, "cli", CancellationToken.None))),
        new("other provider removed", Right.Upstream, w => w.Change((services, db, _) => services.GetRequiredService<UpstreamStatements>().Remove(db, w.Upstream, "cli", CancellationToken.None))),
        new("disconnected from the other provider", Right.Upstream, w => w.Change((services, db, _) => services.GetRequiredService<UpstreamStatements>().Unlink(db, w.Person, w.Upstream, "cli", CancellationToken.None))),
        new("client disabled", Right.Client, w => w.Change((services, db, _) => services.GetRequiredService<ClientStatements>().Disable(db, w.Client, "cli", CancellationToken.None))),
        new("client disabled and enabled again", Right.Tenure, DisableForAMoment),
        new("client's secret replaced", Right.ClientSecret, w => w.Change((services, db, _) => services.GetRequiredService<ClientStatements>().ReplaceSecret(db, w.Client, CodeFlow.Random(), null, "cli", CancellationToken.None))),
        new("client's grants removed", Right.ClientGrants, w => ChangeClient(w, client => client.GrantTypes = [])),
        new("client's address removed", Right.RedirectUri, w => ChangeClient(w, client => client.RedirectUris = ["https://matrix.test/other"])),
        new("signing key revoked", Right.SigningKey, w => RevokeKey(w, w.Server.Keys.Signer("ES256").KeyId)),
        new("key of opaque tokens revoked", Right.SealingKey, w => RevokeKey(w, w.Server.Keys.Symmetric(KeyPurpose.SealToken).KeyId)),
    ];

    private static async Task Both(World w, Func<UserStatements, Storage.IdpDbContext, string, Task> change)
    {
        foreach (var name in (string[])[w.Person, w.Careful]) await w.Change((services, db, _) => change(services.GetRequiredService<UserStatements>(), db, name));
    }

    private static async Task Delete(UserStatements users, Storage.IdpDbContext db, string name) =>
        await users.Delete(db, (await UserStatements.Require(db, name, CancellationToken.None)).Id, "cli", CancellationToken.None);

    private static async Task MadeAgain(World w)
    {
        await Both(w, Delete);
        foreach (var name in (string[])[w.Person, w.Careful]) await w.Server.AddUser(name);
        using var phone = new Browser(w.Server);
        await PhoneApp.SetUp(phone, w.Server, w.Careful);
    }

    private static async Task SetPasswords(World w)
    {
        foreach (var name in (string[])[w.Person, w.Careful])
        {
            var hashed = await w.Server.NewPassword(Another, name);
            await w.Change((services, db, _) => services.GetRequiredService<UserStatements>().ChangePassword(db, name, hashed, "cli", CancellationToken.None));
        }
    }

    private static async Task ChangePasswords(World w)
    {
        foreach (var browser in (Browser[])[await Owner(w), await CarefulOwner(w)])
        {
            var page = await browser.Follow(await browser.Get("/account/password"));
            Assert.NotNull((await browser.Press(page, "/account/password", ("old", IdpServer.Password), ("new", Another), ("again", Another))).Text("#notice"));
        }
    }

    private static async Task ResetPassword(World w)
    {
        foreach (var name in (string[])[w.Person, w.Careful])
        {
            var (browser, link) = (w.Browser(), await w.RecoveryLink(name));
            Assert.NotNull((await browser.Submit(await browser.Get(link), "/recovery/password", ("password", Another))).Text("#password-changed"));
        }
    }

    private static async Task EndOtherSessions(World w)
    {
        foreach (var browser in (Browser[])[await Owner(w), await CarefulOwner(w)])
            Assert.Equal(200, (await browser.Press(await browser.Get("/account/sessions"), "/account/sessions?handler=EndOthers")).Status);
    }

    private static async Task AnotherApp(World w)
    {
        await w.Change(async (services, db, _) => Assert.True(await services.GetRequiredService<SecondFactorStatements>().Reset(
            db, await UserStatements.Require(db, w.Careful, CancellationToken.None), "cli", w.Server.Clock.GetUtcNow(), CancellationToken.None)));
        using var phone = new Browser(w.Server);
        await PhoneApp.SetUp(phone, w.Server, w.Careful);
    }

    private static async Task RemovePasskey(World w)
    {
        var browser = await Owner(w);
        var page = await browser.Get(PasskeyPages.Account);
        var removed = await browser.Press(page, $"{PasskeyPages.Account}?handler=Remove", ("passkey", page.All("input[name=passkey]")[0].GetAttribute("value")!));
        Assert.NotEmpty(removed.All("#passkeys-none"));
    }

    private static Task WithdrawConsent(World w) => w.Change(async (_, db, _) =>
    {
        var client = await ClientStatements.Require(db, w.Client, CancellationToken.None);
        foreach (var name in (string[])[w.Person, w.Careful])
            Assert.True(await Consent.Withdraw(db, (await UserStatements.Require(db, name, CancellationToken.None)).Id, client, "cli", w.Server.Clock.GetUtcNow(), CancellationToken.None));
    });

    private static async Task DisableForAMoment(World w)
    {
        await w.Change((services, db, _) => services.GetRequiredService<ClientStatements>().Disable(db, w.Client, "cli", CancellationToken.None));
        await w.Change((services, db, _) => services.GetRequiredService<ClientStatements>().Enable(db, w.Client, "cli", CancellationToken.None));
    }

    private static Task ChangeClient(World w, Action<Client> change) => w.Change(async (_, db, version) =>
    {
        var client = await db.Set<Client>().AsTracking().SingleAsync(c => c.ClientId == w.Client);
        change(client);
        client.Version = version;
        await db.SaveChangesAsync();
    });

    private static Task RevokeKey(World w, string kid) => w.Change(async (services, db, _) =>
    {
        var key = await db.Set<StoredKey>().AsTracking().SingleAsync(k => k.KeyId == kid);
        await KeyStatements.Revoke(db, services.GetRequiredService<KeyRing>().Masters, key, w.Server.Clock.GetUtcNow(), CancellationToken.None);
    });

    private static Task<Browser> Owner(World w) => w.SignedIn(w.Person);

    private static Task<Browser> CarefulOwner(World w) => w.SignedIn(w.Careful, async (browser, page) => await browser.Confirm(await browser.SignIn(page, w.Careful), w.NextCode()));
}
