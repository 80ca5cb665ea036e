using System.Globalization;
using IdP.Grants;
using IdP.Protocol.OAuth;
using IdP.Protocol.OpenId;

namespace IdP.Authorize;

/// <summary>Checks of what an authorization request says of the person and their sign-in (OpenID Connect Core §3.1.2.1, §5.5). Each is pure.</summary>
internal static class PersonChecks
{
    // Not every database can keep a NUL.
    public static Result<AuthorizationRequest> Nonce(AuthorizationRequest request, CheckContext context) =>
        request.Form["nonce"] is { } nonce && (nonce.Length > Grant.LongestNonce || nonce.Contains('\0'))
            ? OAuthError.InvalidRequest($"nonce is longer than {Grant.LongestNonce} characters, or has a NUL")
            : request with { Nonce = request.Form["nonce"] };

    public static Result<AuthorizationRequest> PromptIsKnown(AuthorizationRequest request, CheckContext context)
    {
        if (Prompts.Parse(request.Form["prompt"]).Failed(out var prompt, out var error)) return error;
        return prompt.HasFlag(Prompt.Create) && !context.HasSignUp
            ? OAuthError.InvalidRequest("prompt create needs a provider where people sign up by themselves; prompt_values_supported lists what there is")
            : request with { Prompt = prompt };
    }

    public static Result<AuthorizationRequest> MaxAgeIsANumber(AuthorizationRequest request, CheckContext context)
    {
        if (request.Form["max_age"] is not { } text) return request;
        if (text.Length > 18 || !long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)) return OAuthError.InvalidRequest("max_age must be a whole number of seconds");
        // Longer than any session is as good as none, and would not fit.
        return request with { MaxAge = TimeSpan.FromSeconds(Math.Min(seconds, int.MaxValue)) };
    }

    public static Result<AuthorizationRequest> ClaimsAreReadable(AuthorizationRequest request, CheckContext context) =>
        ClaimsRequest.Parse(request.Form["claims"]).Failed(out var claims, out var error) ? error : request with { Claims = claims };

    // A hint says whom the client means; it never signs anybody in.
    public static Result<AuthorizationRequest> HintNamesSomebody(AuthorizationRequest request, CheckContext context)
    {
        if (request.Form["id_token_hint"] is { } hint)
            request = context.IdTokens.ReadHint(hint) is { Subject: { } subject } read && read.Audiences.Contains(request.Client.ClientId) && context.Subjects.Find(subject, request.Client) is { } user
                ? request with { MeantUsers = [user] }
                : request with { MeansUnknownUser = true };
        // OpenID Connect Core §5.5.1: sub asked for by value. A value that is nobody's means nobody.
        foreach (var claims in (ReadOnlySpan<IReadOnlyDictionary<string, RequestedClaim>>)[request.Claims.IdToken, request.Claims.UserInfo])
        {
            if (!claims.TryGetValue("sub", out var asked) || asked.Values.Count == 0) continue;
            var named = asked.Values.Select(value => context.Subjects.Find(value, request.Client)).OfType<Guid>();
            request = request with { MeantUsers = [.. request.MeantUsers?.Intersect(named) ?? named] };
        }
        return request;
    }

    // OpenID Connect Core §5.5.1.1: acr_values is a wish; only an acr that is essential and impossible is an error.
    public static Result<AuthorizationRequest> StrengthIsPossible(AuthorizationRequest request, CheckContext context) =>
        request.Claims.IdToken.TryGetValue("acr", out var acr) && acr.IsEssential && acr.Values.Count > 0 && !acr.Values.Any(Acr.All.Contains)
            ? new OAuthError("unmet_authentication_requirements", "no acr that the request calls essential can be met; acr_values_supported lists what there is")
            : request;
}
