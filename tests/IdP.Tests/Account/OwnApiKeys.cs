using IdP.Account;
using IdP.ApiKeys;
using IdP.Testing;
using IdP.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace IdP.Tests.Account;

/// <summary>People make, replace and revoke their own API keys.</summary>
public sealed class OwnApiKeys : IAsyncLifetime
{
    private IdpServer _server = null!;

    public async Task InitializeAsync()
    {
        _server = await IdpServer.Start(options => (options.ApiKeys.AccountScopes, options.ApiKeys.PerOwner) = ("items:read items:write gone:scope other:read", 3), https: true);
        await _server.AddResource("urn:test:other", ["other:read", "other:write"]);
    }

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task A_key_is_shown_once_works_and_ends_when_it_is_revoked()
    {
        using var browser = new Browser(_server);
        var list = await browser.Enter("/account/api-keys");
        Assert.Equal("You have no API keys.", list.Text("#none"));

        var made = await Make(browser, "Export <b>every</b> night", "items:read");
        var key = made.Text("#made-key")!;
        Assert.Equal("no-store", made.Header("Cache-Control"));
        var seen = (await _server.Introspect(key)).Json;
        Assert.Equal(("items:read", "ApiKey"), ((string?)seen["scope"], (string?)seen["token_type"]));

        list = await browser.Enter("/account/api-keys");
        Assert.DoesNotContain(key, list.Body, StringComparison.Ordinal);
        Assert.Equal("Export <b>every</b> night", list.Text("#keys h2"));
        Assert.Empty(list.All("b"));
        var after = await browser.Press(list, "/account/api-keys?handler=Revoke");
        Assert.Equal("The key is revoked.", after.Text("#notice"));
        Assert.Empty(after.All("#keys button"));
        Assert.False((await _server.Introspect(key)).Active);
        var events = await browser.Enter("/account/events");
        Assert.Contains("An API key was made", events.Text("#events")!, StringComparison.Ordinal);
        Assert.DoesNotContain(await _server.Text(), text => text.Contains(key, StringComparison.Ordinal));
        Assert.DoesNotContain(_server.Log.Lines, line => line.Contains(key, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_form_that_is_sent_again_makes_no_other_key()
    {
        await _server.AddUser("reloader");
        using var browser = new Browser(_server);
        await browser.Enter("/account", "reloader");
        var form = (await browser.Get("/account/api-keys/new")).Fields();
        form["name"] = "once";
        form["scope"] = "items:read";
        var answers = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => browser.Post("/account/api-keys/new", form)));

        Assert.Single(answers, answer => answer.Text("#made-key") is not null);
        Assert.Equal(4, answers.Count(answer => answer.Location == "/account/api-keys?done=key-made-already"));
        var list = await browser.Follow(await browser.Post("/account/api-keys/new", form));
        Assert.StartsWith("This key was made already.", list.Text("#notice"), StringComparison.Ordinal);
        Assert.Single(list.All("#keys > li"));
        // Nor is it replaced twice.
        var renewal = (await browser.Get(list.All("#keys li a")[0].GetAttribute("href")!)).Fields();
        Assert.NotNull((await browser.Post("/account/api-keys/renew", renewal)).Text("#made-key"));
        Assert.Equal("/account/api-keys?done=key-made-already", (await browser.Post("/account/api-keys/renew", renewal)).Location);
    }

    [Fact]
    public async Task A_replaced_key_works_for_a_day_or_ends_at_once()
    {
        using var browser = new Browser(_server);
        foreach (var overlap in (bool[])[true, false])
        {
            var old = (await Make(browser, "program", "items:write")).Text("#made-key")!;
            var page = await browser.Enter("/account/api-keys");
            var form = await browser.Get(page.All("#keys li a")[0].GetAttribute("href")!);
            var fields = form.Fields();
            if (!overlap) fields.Remove("overlap");

            var made = await browser.Post("/account/api-keys/renew", fields);

            var key = made.Text("#made-key")!;
            Assert.NotEqual(old, key);
            Assert.True((await _server.Introspect(key)).Active);
            Assert.Equal(overlap, (await _server.Introspect(old)).Active);
        }
        _server.Clock.Advance(TimeSpan.FromHours(25));
        await browser.Enter("/account");
    }

    [Fact]
    public async Task What_is_not_offered_cannot_be_had()
    {
        using var browser = new Browser(_server);
        var form = await browser.Enter("/account/api-keys/new");
        Assert.Equal(["items:read", "items:write", "other:read"], form.All("input[name=scope]").Select(box => box.GetAttribute("value")));
        (string Problem, (string, string)[] Filled)[] wrong =
        [
            ("Choose what the key may do.", [("name", "x")]), ("Choose what the key may do.", [("name", "x"), ("scope", "admin")]), ("Choose what the key may do.", [("name", "x"), ("scope", "items:read"), ("scope", "admin")]),
            ("Choose what the key may do.", [("name", "x"), ("scope", "gone:scope")]), ("A key is for one API: choose from one list only.", [("name", "x"), ("scope", "items:read"), ("scope", "other:read")]),
            ("Say in one line what the key is for.", [("name", "two\nlines"), ("scope", "items:read")]), ("Say in one line what the key is for.", [("scope", "items:read")]),
            ("A key ends after 1 to 366 days.", [("name", "x"), ("scope", "items:read"), ("days", "4000")]),
        ];
        foreach (var (problem, filled) in wrong)
        {
            form = await browser.Get("/account/api-keys/new");
            var fields = form.Fields().Where(field => field.Key is not ("scope" or "name") && !filled.Any(one => one.Item1 == field.Key)).Concat(filled.Select(one => new KeyValuePair<string, string>(one.Item1, one.Item2)));
            var refused = await browser.Post("/account/api-keys/new", fields);
            Assert.Equal((400, problem), (refused.Status, refused.Text("#problem")));
        }
        Assert.Equal(0, await _server.Count("ApiKeys"));
        for (var i = 0; i < 3; i++) await Make(browser, $"key {i}", "items:read");
        Assert.Equal("You have as many API keys as are allowed. Revoke one first.", (await Make(browser, "one too many", "items:read")).Text("#problem"));
    }

    [Fact]
    public async Task Somebody_elses_key_is_neither_seen_nor_touched()
    {
        using var alice = new Browser(_server);
        using var bob = new Browser(_server);
        var key = (await Make(alice, "Alice's own", "items:read")).Text("#made-key")!;
        var id = key.Split('_')[1];
        var bobs = await bob.Enter("/account/api-keys", "bob");
        Assert.DoesNotContain(id, bobs.Body, StringComparison.Ordinal);
        await Make(bob, "Bob's", "items:read");
        bobs = await bob.Enter("/account/api-keys", "bob");

        await bob.Press(bobs, "/account/api-keys?handler=Revoke", ("id", id));
        Assert.Equal(AccountSection.ApiKeys, (await bob.Get($"/account/api-keys/renew?id={id}")).Location);
        var renewed = await bob.Submit(bobs, "/account/api-keys/renew", ("id", id), (OnceForm.Field, OnceForm.Value()));

        Assert.Equal("There is no such key of yours any more.", renewed.Text("#problem"));
        Assert.True((await _server.Introspect(key)).Active);
    }

    [Fact]
    [Trait("Case", "MFA-07")]
    public async Task A_new_secret_takes_a_sign_in_of_the_last_five_minutes_and_revoking_does_not()
    {
        using var browser = new Browser(_server);
        var made = (await Make(browser, "program", "items:read")).Text("#made-key")!;
        var form = await browser.Enter("/account/api-keys/new");
        _server.Clock.Advance(TimeSpan.FromMinutes(6));

        Assert.True((await browser.Follow(await browser.Submit(form, "/account/api-keys/new", ("name", "x"), ("scope", "items:read")))).AsksToSignIn());
        Assert.True((await browser.Follow(await browser.Get($"/account/api-keys/renew?id={made.Split('_')[1]}"))).AsksToSignIn());
        await browser.Press(await browser.Get("/account/api-keys"), "/account/api-keys?handler=Revoke");
        Assert.False((await _server.Introspect(made)).Active);
    }

    [Fact]
    public async Task Unless_the_operator_says_so_none_are_made_but_those_that_exist_are_looked_after()
    {
        await using var server = await IdpServer.Start(https: true);
        await server.Database.Write(async db => (await server.App.Services.GetRequiredService<ApiKeyStatements>()
            .AddForUser(db, "alice", new NewApiKey("By an operator", IdpServer.Api, ["admin"], null), new ApiKeyActor("cli"), CancellationToken.None)).Stored.Id, CancellationToken.None);
        using var browser = new Browser(server);

        var page = await browser.Enter("/account/api-keys");

        Assert.Equal("By an operator", page.Text("#keys h2"));
        Assert.Empty(page.All("#new-key"));
        Assert.Equal(AccountSection.ApiKeys, (await browser.Get("/account/api-keys/new")).Location);
        Assert.Contains("An API key was made", (await browser.Enter("/account/events")).Text("#events")!, StringComparison.Ordinal);
    }

    private static async Task<PageAnswer> Make(Browser browser, string name, string scope)
    {
        var form = await browser.Enter("/account/api-keys/new");
        return await browser.Post("/account/api-keys/new", form.Fields().Where(field => field.Key is not ("scope" or "name")).Append(new("name", name)).Append(new("scope", scope)));
    }
}
