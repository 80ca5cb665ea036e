using IdP.Account;
using IdP.Http;
using IdP.Ui;
using Microsoft.AspNetCore.Mvc;

namespace IdP.Authorize;

/// <summary>What a page on the way works for: an app's request, or a page of ours that needs a sign-in first.</summary>
/// <param name="Way">What the person has done so far.</param>
/// <param name="Request">The app's request; null for a page of ours.</param>
internal sealed record PageRequest(Interaction Way, AuthorizationRequest? Request)
{
    public SignInDemand Demand => Request is null ? SignInDemand.OfOwnPage(Way) : SignInDemand.Of(Request);

    public AppOnPage? App => Request is null ? null : AppOnPage.Of(Request.Client);
}

/// <summary>Opens interactions for pages, and leads back to where it is decided what comes next.</summary>
internal sealed class PageRequests(AuthorizeEndpoint authorize, Interactions interactions)
{
    /// <summary>Null when it has to start anew, or is not allowed any more.</summary>
    public async ValueTask<PageRequest?> Find(HttpContext http, string? sealedText, CancellationToken ct)
    {
        if (interactions.Open(http, sealedText) is not { } way) return null;
        if (way.ReturnTo is not null) return new PageRequest(way, Request: null);
        return await authorize.Recheck(way, ct) is ({ } request, _) ? new PageRequest(way, request) : null;
    }

    /// <summary>The same for a page that is shown now: it speaks the app's language, its forms may lead to the app, and the log names it.</summary>
    public async ValueTask<PageRequest?> Show(HttpContext http, string? sealedText, CancellationToken ct)
    {
        if (await Find(http, sealedText, ct) is not { } page) return null;
        if (page.Request is not { } request) return page;
        RequestFacts.Of(http).ClientId = request.Client.ClientId;
        Texts.Prefer(http, request.Form["ui_locales"]);
        PageHeaders.Set(http, request.Client, request.Target.RedirectUri);
        return page;
    }

    /// <summary>The address that decides what comes next.</summary>
    public string Onward(HttpContext http, Interaction way)
    {
        var sealedText = interactions.Seal(http, way);
        return way.ReturnTo is null ? AuthorizeEndpoint.Resume(sealedText) : AccountDoor.Resume(sealedText);
    }

    public string Seal(HttpContext http, Interaction way) => interactions.Seal(http, way);

    // RFC 9700 §4.12: 303, after which no browser posts a password again.
    public SeeOther Return(HttpContext http, Interaction way) => new(Onward(http, way));

    public static async Task<IActionResult> Expired(HttpContext http)
    {
        await ErrorPage.Show(http, ErrorPage.Expired);
        return new EmptyResult();
    }
}
