using System.Text;
using IdP.Accounts;
using IdP.Authorize;
using IdP.Http;
using IdP.Protocol.OAuth;
using IdP.Protocol.OpenId;
using IdP.Sessions;
using IdP.Ui;

namespace IdP.Upstream;

/// <summary>Where a provider sends people back to. Whoever it names is signed in here, and goes on at the authorization endpoint like after a password.</summary>
internal sealed class UpstreamCallback(
    UpstreamCatalog catalog, UpstreamFlow flow, UpstreamAccounts accounts, PageRequests pages, SignInSteps steps, ILogger<UpstreamCallback> log)
{
    public const string Path = "/sign-in/upstream/{name}";

    public async Task Handle(HttpContext http)
    {
        var ct = http.RequestAborted;
        var facts = RequestFacts.Of(http);

        // 1. Read: an answer for a provider that there is, on a way that began in this browser.
        if (catalog.Find((string?)http.Request.RouteValues["name"]) is not { } provider) { await ErrorPage.Show(http, ErrorPage.NotFound); return; }
        var query = http.Request.QueryString.Value ?? "";
        if (FormParameters.ParseLeniently(Encoding.UTF8.GetBytes(query.Length > 0 ? query[1..] : "")).Failed(out var answer, out var error)) { await ErrorPage.Show(http, error); return; }
        if (answer.Repeated.Count > 0 || answer["state"] is not { } state || await flow.Take(http, provider, state, ct) is not { } way) { await ErrorPage.Show(http, ErrorPage.Expired); return; }
        if (await pages.Find(http, way.Continue, ct) is not { } page) { await ErrorPage.Show(http, ErrorPage.Expired); return; }
        facts.ClientId = page.Request?.Client.ClientId;

        // 2. Whom does the provider name?
        if (answer["error"] is not null) { facts.Outcome = "upstream_refused"; await ToSignIn(http, way.Continue, "problem=refused"); return; }
        UpstreamPerson person;
        try
        {
            person = await flow.Redeem(provider, way, answer, ct);
        }
        catch (UpstreamException failure)
        {
            log.LogWarning("The sign-in through {Provider} failed: {Problem}", provider.Name, failure.Message);
            (facts.Outcome, facts.Detail) = ("upstream_failed", failure.Message);
            await ToSignIn(http, way.Continue, "problem=failed");
            return;
        }

        // 3. Who is that here? Somebody new gets an account where that is allowed, or signs in here once to connect the two.
        var user = await accounts.Find(person, ct);
        if (user is null && provider.CreatesAccounts) user = await accounts.Create(person, ct);
        if (user is null) { facts.Outcome = "upstream_unknown"; await ToSignIn(http, way.Continue, $"link={accounts.Pend(http, person)}"); return; }

        // 4. Signed in. A disabled account is refused in the words of a failure: the provider's people learn nothing of it.
        var proof = new SignInProof(ProvenPerson.WithoutPassword(user), Acr.Upstream, Acr.UpstreamMethod) { At = person.AuthenticatedAt, UpstreamProviderId = provider.Id };
        if ((await steps.Proved(http, page.Way, proof, ct)).Next is not { } next) { facts.Outcome = "upstream_disabled"; await ToSignIn(http, way.Continue, "problem=failed"); return; }
        await accounts.Used(person, CancellationToken.None);
        await SeeOther.Send(http, pages.Onward(http, next));
    }

    private static Task ToSignIn(HttpContext http, string sealedInteraction, string more) =>
        SeeOther.Send(http, $"{PageAddresses.SignIn}?{Interactions.Parameter}={sealedInteraction}&{more}");
}
