using IdP.Accounts;
using IdP.Clients;
using IdP.Grants;
using IdP.Http;
using IdP.Protocol.OAuth;
using IdP.Registration;
using IdP.Resources;
using IdP.Tokens;

namespace IdP.Authorize;

/// <summary>What the checks look things up in.</summary>
internal sealed record CheckContext(ResourceCatalog.Snapshot Catalog, string Issuer, IdTokens IdTokens, Subjects Subjects, bool HasSignUp);

/// <summary>
/// The checks of an authorization request, in their order: first who asks and where the answer goes, which is told on a page if it is
/// wrong; then the table, whose findings go to the client. The same for a request that is pushed.
/// </summary>
internal sealed class AuthorizationRequestPipeline(
    ClientDirectory clients, GrantStatements grants, Handles handles, ResourceCatalog catalog, Issuer issuer, IdTokens idTokens, Subjects subjects, IdpOptions options, TimeProvider clock)
{
    /// <summary>How much of a request may travel through the browser; more must be pushed.</summary>
    public const int LongestRequest = 6 * 1024;
    public const string RequestUriPrefix = "urn:ietf:params:oauth:request_uri:";

    private static readonly Func<AuthorizationRequest, CheckContext, Result<AuthorizationRequest>>[] Table =
    [
        RequestForm.NothingRepeats,
        RequestForm.NoRequestObject,
        RequestForm.ResponseTypeIsCode,
        RequestForm.ResponseModeIsKnown,
        RequestForm.CodeIsAllowed,
        RequestForm.KeyIsProven,
        RequestForm.ScopesAreAllowed,
        PersonChecks.Nonce,
        PersonChecks.PromptIsKnown,
        PersonChecks.MaxAgeIsANumber,
        PersonChecks.ClaimsAreReadable,
        PersonChecks.HintNamesSomebody,
        PersonChecks.StrengthIsPossible,
    ];

    /// <summary>Checks a request that a browser brought, or that was kept for it.</summary>
    public async ValueTask<(AuthorizationRequest? Request, RefusedRequest? Refused)> Check(FormParameters form, CancellationToken ct)
    {
        if ((await FindClient(form, ct)).Failed(out var client, out var error)) return (null, new RefusedRequest(error, Target: null));
        if (form.Repeated.Contains("request_uri")) return Page(OAuthError.InvalidRequest("request_uri is repeated"));
        if (form["request_uri"] is { } uri && uri.StartsWith(RequestUriPrefix, StringComparison.Ordinal)) return await CheckPushed(uri, client, ct);
        var checkedRequest = Check(form, client);
        // RFC 9126 §6: what is told to come by the back channel comes by no other.
        return checkedRequest is { Request: { } request } && client.RequiresPushedRequests
            ? (null, new RefusedRequest(OAuthError.InvalidRequest("this client must push its requests"), request.Target))
            : checkedRequest;
    }

    /// <summary>Checks the parameters of a known client.</summary>
    public (AuthorizationRequest? Request, RefusedRequest? Refused) Check(FormParameters form, Client client)
    {
        if (form.Repeated.Contains("redirect_uri")) return Page(OAuthError.InvalidRequest("redirect_uri is repeated"));
        if (form["redirect_uri"] is not { } sent) return Page(OAuthError.InvalidRequest("redirect_uri is required"));
        if (RedirectUri.Prove(client.RedirectUris, sent, client.IsNative) is not { } redirectUri)
            return Page(OAuthError.InvalidRequest("the redirect_uri is not registered for this client; it is compared character by character"));

        var target = new ResponseTarget(redirectUri, ResponseMode.Of(form["response_mode"], form["response_type"]), form.Repeated.Contains("state") ? null : form["state"]);
        var request = new AuthorizationRequest(client, form, target);
        var context = new CheckContext(catalog.Current, issuer.Value, idTokens, subjects, options.Mode() == RegistrationMode.Open);
        foreach (var check in Table)
            if (check(request, context).Failed(out request, out var error)) return (null, new RefusedRequest(error, target));
        return (request, null);
    }

    /// <summary>The request that was pushed, if nobody has got a code for it. What was allowed at the push may not be any more, so it is checked again.</summary>
    public async ValueTask<(AuthorizationRequest? Request, RefusedRequest? Refused)> Resume(Guid pushedId, CancellationToken ct)
    {
        var grant = await grants.Read(pushedId, ct);
        if (grant is not { State: GrantState.Pushed, Request: { } kept } || await clients.FindByKey(grant.ClientKey, ct) is not { } client) return Page(Unusable("used up or removed"));
        return Checked(kept, client, grant.Id);
    }

    private async ValueTask<(AuthorizationRequest? Request, RefusedRequest? Refused)> CheckPushed(string uri, Client client, CancellationToken ct)
    {
        if (handles.Open(uri[RequestUriPrefix.Length..]) is not { Kind: HandleKind.PushedRequest } handle) return Page(Unusable("not a request_uri of ours"));
        var grant = await grants.Read(handle.GrantId, ct);
        if (grant is not { State: GrantState.Pushed, Request: { } kept } || handle.Proof != Proof.Of(grant.Seed, handle.Kind, grant.Id, handle.Generation)) return Page(Unusable("used up or removed"));
        // RFC 9126 §2.2: bound to the client that pushed it.
        if (grant.ClientKey != client.Id) return Page(Unusable("pushed by another client"));
        return grant.HandleExpiresAt <= clock.GetUtcNow() ? Page(Unusable("expired")) : Checked(kept, client, grant.Id);
    }

    private (AuthorizationRequest? Request, RefusedRequest? Refused) Checked(string kept, Client client, Guid pushedId)
    {
        if (client.IsDisabled) return Page(Disabled());
        if (FormParameters.Parse(System.Text.Encoding.UTF8.GetBytes(kept)).Failed(out var form, out var error)) return Page(error);
        var (request, refused) = Check(form, client);
        return (request is null ? null : request with { PushedId = pushedId }, refused);
    }

    private async ValueTask<Result<Client>> FindClient(FormParameters form, CancellationToken ct)
    {
        if (form.Repeated.Contains("client_id")) return OAuthError.InvalidRequest("client_id is repeated");
        if (form["client_id"] is not { } id) return OAuthError.InvalidRequest("client_id is required");
        if (await clients.Find(id, ct) is not { } client) return OAuthError.InvalidRequest("the client_id is unknown", "unknown client");
        return client.IsDisabled ? Disabled() : client;
    }

    private static OAuthError Disabled() => OAuthError.UnauthorizedClient("this client is disabled");

    private static OAuthError Unusable(string detail) => new("invalid_request_uri", "the request_uri is unknown, used up, expired, or another client's", 400, detail);

    private static (AuthorizationRequest?, RefusedRequest?) Page(OAuthError error) => (null, new RefusedRequest(error, Target: null));
}
