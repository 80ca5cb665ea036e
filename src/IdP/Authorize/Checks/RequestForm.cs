using IdP.Protocol.OAuth;
using IdP.Resources;

namespace IdP.Authorize;

/// <summary>Checks of what an authorization request is: RFC 6749 §4.1.1, RFC 7636, RFC 9101. Each is pure.</summary>
internal static class RequestForm
{
    // RFC 6749 §3.1: parameters must not repeat.
    public static Result<AuthorizationRequest> NothingRepeats(AuthorizationRequest request, CheckContext context)
    {
        foreach (var name in request.Form.Repeated) return OAuthError.InvalidRequest($"the parameter '{OAuthError.Printable(name)}' is repeated");
        return request;
    }

    // OpenID Connect Core §3.1.2.6: what is not supported is refused for what it is, never ignored.
    public static Result<AuthorizationRequest> NoRequestObject(AuthorizationRequest request, CheckContext context) =>
        request.Form.Has("request") ? new OAuthError("request_not_supported", "request objects are not supported") :
        request.Form.Has("request_uri") ? new OAuthError("request_uri_not_supported", "a request_uri must be one that this server gave for a pushed request") :
        request.Form.Has("registration") ? new OAuthError("registration_not_supported", "the parameter registration is not supported") :
        request;

    public static Result<AuthorizationRequest> ResponseTypeIsCode(AuthorizationRequest request, CheckContext context) => request.Form["response_type"] switch
    {
        "code" => request,
        null => OAuthError.InvalidRequest("response_type is required: code"),
        // RFC 9700 §2.1.2: no token in the front channel.
        _ => new OAuthError("unsupported_response_type", "response_type must be code"),
    };

    public static Result<AuthorizationRequest> ResponseModeIsKnown(AuthorizationRequest request, CheckContext context) =>
        request.Form["response_mode"] is { } mode && !ResponseMode.All.Contains(mode)
            ? OAuthError.InvalidRequest($"response_mode must be one of: {string.Join(", ", ResponseMode.All)}")
            : request;

    public static Result<AuthorizationRequest> CodeIsAllowed(AuthorizationRequest request, CheckContext context) =>
        request.Client.MayUse(GrantNames.AuthorizationCode) ? request : OAuthError.UnauthorizedClient("this client may not use the authorization code flow");

    // RFC 9700 §2.1.1: PKCE for everybody; a confidential client may be exempted by name.
    public static Result<AuthorizationRequest> KeyIsProven(AuthorizationRequest request, CheckContext context)
    {
        var (challenge, method) = (request.Form["code_challenge"], request.Form["code_challenge_method"]);
        if (challenge is null)
            return request.Client.AllowCodeWithoutPkce && method is null ? request : OAuthError.InvalidRequest("code_challenge is required (PKCE with S256)");
        // RFC 7636 §4.3: without a method it would be plain.
        if (method != Pkce.Method) return OAuthError.InvalidRequest("code_challenge_method must be S256");
        return Pkce.IsChallenge(challenge) ? request with { CodeChallenge = challenge } : OAuthError.InvalidRequest("code_challenge must be a SHA-256 digest in base64url: 43 characters");
    }

    public static Result<AuthorizationRequest> ScopesAreAllowed(AuthorizationRequest request, CheckContext context) =>
        RequestedScopes.Resolve(request.Client, request.Form, context.Catalog, context.Issuer).Failed(out var scopes, out var error) ? error : request with { Scopes = scopes };
}
