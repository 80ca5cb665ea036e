using AngleSharp.Html.Parser;
using IdP.Testing;
using IdP.Tests.Support;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.AspNetCore.Mvc.RazorPages.Infrastructure;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace IdP.Tests.Pages;

/// <summary>What protects every page, whatever it shows: its headers, the tokens of its forms, the attributes of its cookies.</summary>
public sealed class Protection(PageServer fixture) : IClassFixture<PageServer>
{
    private readonly IdpServer _server = fixture.Server;

    [Fact]
    [Trait("Case", "LGN-12")]
    [Trait("Case", "COD-11")]
    public async Task Every_page_may_not_be_framed_nor_kept_nor_load_from_elsewhere()
    {
        foreach (var (name, page) in await EveryPage())
        {
            var policy = page.Header("Content-Security-Policy");
            Assert.True(page.Header("Content-Type") == "text/html; charset=utf-8", name);
            Assert.True(policy.Contains("frame-ancestors 'none'", StringComparison.Ordinal), name);
            Assert.True(page.Header("X-Frame-Options") == "DENY", name);
            Assert.True(page.Header("Cache-Control") == "no-store", $"{name}: {page.Header("Cache-Control")}");
            Assert.True(page.Header("Pragma").Length == 0, name);
            Assert.True(page.Header("Referrer-Policy") == "no-referrer", name);
            Assert.True(page.Header("X-Content-Type-Options") == "nosniff", name);
            Assert.StartsWith("default-src 'none'; ", policy, StringComparison.Ordinal);
            Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
            // Where forms may lead in the end is the app's affair, any port of the person's own machine included.
            Assert.DoesNotContain(policy.Split("; "), directive => directive.Contains('*', StringComparison.Ordinal) && !directive.StartsWith("form-action 'self' https://web.test ", StringComparison.Ordinal));
            Assert.Contains("base-uri 'none'", policy, StringComparison.Ordinal);
            foreach (var loaded in new HtmlParser().ParseDocument(page.Body).QuerySelectorAll("[src], link[href]"))
                Assert.StartsWith("/ui/", loaded.GetAttribute("src") ?? loaded.GetAttribute("href"), StringComparison.Ordinal);
        }
        Assert.DoesNotContain(_server.Log.Lines, line => line.Contains("overridden", StringComparison.Ordinal));
    }

    [Fact]
    [Trait("Case", "LGN-11")]
    public async Task Every_form_of_every_page_has_its_token_and_leads_here()
    {
        foreach (var (name, page) in (await EveryPage()).Where(page => page.Name != "form_post"))
            foreach (var form in new HtmlParser().ParseDocument(page.Body).QuerySelectorAll("form"))
            {
                Assert.True(form.GetAttribute("method") == "post", name);
                Assert.True(form.QuerySelector("input[name=form_token]")?.GetAttribute("value")?.Length > 50, name);
                foreach (var target in form.QuerySelectorAll("[formaction]").Select(button => button.GetAttribute("formaction")).Append(form.GetAttribute("action")))
                    Assert.True(target is null || target.StartsWith('/'), $"{name}: {target}");
            }
    }

    [Fact]
    [Trait("Case", "LGN-11")]
    public async Task Every_handler_in_the_route_table_refuses_a_form_without_its_token_and_changes_nothing()
    {
        using var browser = new Browser(_server);
        var consent = await browser.SignIn(await browser.Authorize(new CodeFlow { With = { ["prompt"] = "consent" } }.Parameters()));
        var fields = consent.Fields();
        Assert.Contains("form_token", fields.Keys);
        using var stranger = new Browser(_server);
        var strangers = (await stranger.Authorize(new CodeFlow().Parameters())).Fields()["form_token"];
        var before = await State();

        var handlers = await PostHandlers();
        Assert.Contains("/sign-in?handler=Cancel", handlers);
        Assert.Contains("/consent", handlers);
        foreach (var address in handlers)
        {
            var (path, form) = (address, new Dictionary<string, string>(fields) { ["username"] = "alice", ["password"] = IdpServer.Password });
            foreach (var token in (string?[])[null, "", "garbage", strangers])
            {
                if (token is null) form.Remove("form_token");
                else form["form_token"] = token;
                var refused = await browser.Post(path, form);
                Assert.True(refused.Status == 400, $"{path} {token}: {refused.Status}");
                Assert.Contains("op-error", refused.Body, StringComparison.Ordinal);
                Assert.Equal("", refused.Header("Set-Cookie"));
            }
            // The same by GET is no way around it.
            var query = string.Join('&', form.Select(pair => $"{pair.Key}={Uri.EscapeDataString(pair.Value)}"));
            await browser.Get($"{path}{(path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}{query}");
        }
        Assert.Equal(before, await State());
        // The fields were good: with the right token the form goes through.
        Assert.StartsWith("https://web.test/callback?code=", (await browser.Accept(consent)).Location, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Case", "LGN-17")]
    public async Task Every_cookie_is_for_this_host_over_tls_and_not_for_scripts()
    {
        var cookies = (await EveryPage()).SelectMany(page => SetCookies(page.Page)).ToList();

        foreach (var name in (string[])["__Host-idp_session=", "__Host-idp_browser=", "__Host-idp_device=", "__Host-idp_form="])
            Assert.Contains(cookies, cookie => cookie.StartsWith(name, StringComparison.Ordinal));
        foreach (var cookie in cookies)
        {
            var attributes = cookie.ToLowerInvariant().Split("; ")[1..];
            Assert.StartsWith("__Host-", cookie, StringComparison.Ordinal);
            Assert.Contains("secure", attributes);
            Assert.Contains("httponly", attributes);
            Assert.Contains("samesite=lax", attributes);
            Assert.Contains("path=/", attributes);
            Assert.DoesNotContain(attributes, attribute => attribute.StartsWith("domain", StringComparison.Ordinal));
            Assert.True(cookie.Length < 4096);
        }
    }

    /// <summary>Every page in every state that differs, as answers to the requests that lead there.</summary>
    private async Task<List<(string Name, PageAnswer Page)>> EveryPage()
    {
        using var browser = new Browser(_server);
        using var stranger = new Browser(_server);
        var pages = new List<(string, PageAnswer)>();
        PageAnswer Add(string name, PageAnswer page)
        {
            pages.Add((name, page));
            return page;
        }
        var redirect = await browser.Get(Browser.Address(new CodeFlow { Scope = "openid offline_access", With = { ["prompt"] = "consent", ["response_mode"] = "form_post" } }.Parameters()));
        var signIn = Add("sign in", await browser.Get(redirect.Location!));
        Add("sign in, nothing filled in", await browser.Submit(signIn, "/sign-in"));
        Add("sign in, wrong", await browser.Submit(signIn, "/sign-in", ("username", "alice"), ("password", "wrong")));
        Add("sign in, expired", await stranger.Get(redirect.Location!));
        Add("sign in, without its token", await browser.Post("/sign-in", []));
        var signedIn = await browser.Submit(signIn, "/sign-in", ("username", "alice"), ("password", IdpServer.Password));
        var consent = Add("consent", await browser.Follow(signedIn));
        Add("form_post", await browser.Accept(consent));
        Add("select account", await browser.Authorize(new CodeFlow { With = { ["prompt"] = "select_account" } }.Parameters()));
        // Where there is nothing to choose, a page leads back to its list.
        foreach (var address in AccountPages()) Add(address, await browser.Follow(await browser.Get(address)));
        foreach (var address in (string[])["/recovery", "/recovery/password", "/sign-up", "/sign-up/complete"]) Add(address, await browser.Get(address));
        Add("forgotten password, sent", await browser.Submit(await browser.Get("/recovery"), "/recovery", ("username", "nobody")));
        var signOut = Add("sign out", await browser.Follow(await browser.Get("/connect/logout?client_id=web")));
        Add("sign out, stayed", await browser.Submit(signOut, "/sign-out?handler=Stay"));
        Add("signed out", await browser.Follow(await browser.Submit(signOut, "/sign-out")));
        Add("error", await browser.Get("/connect/authorize?client_id=nobody"));
        Add("not found", await browser.Get("/nowhere"));
        // Not a page, but where the session's cookie comes from.
        Assert.Equal(303, signedIn.Status);
        Assert.Contains("id=\"consent-accept\"", consent.Body, StringComparison.Ordinal);
        Assert.Contains("id=\"logout-confirm\"", signOut.Body, StringComparison.Ordinal);
        Assert.Contains("id=\"signed-out\"", pages.Single(page => page.Item1 == "signed out").Item2.Body, StringComparison.Ordinal);
        foreach (var cookie in SetCookies(redirect).Concat(SetCookies(signedIn)).ToList()) pages[0].Item2.Response.Headers.TryAddWithoutValidation("Set-Cookie", cookie);
        return pages;
    }

    /// <summary>Every page of one's own account that the session of a moment ago opens, from the route table.</summary>
    private List<string> AccountPages()
    {
        var services = _server.App.Services.GetRequiredService<Ui.Pages>().Services;
        var addresses = services.GetRequiredService<EndpointDataSource>().Endpoints.Select(endpoint => endpoint.Metadata.GetMetadata<PageActionDescriptor>()).OfType<PageActionDescriptor>()
            .Select(page => $"/{page.AttributeRouteInfo!.Template}").Where(address => address.StartsWith("/account", StringComparison.Ordinal) && !address.Contains('{', StringComparison.Ordinal)).Distinct().ToList();
        Assert.Contains("/account/sessions", addresses);
        return addresses;
    }

    private static IEnumerable<string> SetCookies(PageAnswer page) => page.Response.Headers.TryGetValues("Set-Cookie", out var values) ? values : [];

    private async Task<List<string>> PostHandlers()
    {
        var (services, addresses) = (_server.App.Services.GetRequiredService<Ui.Pages>().Services, new List<string>());
        foreach (var page in services.GetRequiredService<EndpointDataSource>().Endpoints.Select(endpoint => endpoint.Metadata.GetMetadata<PageActionDescriptor>()).OfType<PageActionDescriptor>().Distinct())
        {
            var compiled = await services.GetRequiredService<PageLoader>().LoadAsync(page, new Microsoft.AspNetCore.Http.EndpointMetadataCollection(page.EndpointMetadata));
            foreach (var handler in compiled.HandlerMethods.Where(handler => handler.HttpMethod != "Get"))
                addresses.Add($"/{page.AttributeRouteInfo!.Template}{(handler.Name is { } name ? $"?handler={name}" : "")}");
        }
        return addresses;
    }

    private async Task<(long, long, long, long, long)> State() =>
        (await _server.Count("Sessions"), await _server.Count("Consents"), await _server.Count("Grants"), await _server.Count("SessionClients"), await _server.Count("AuditEvents"));
}
