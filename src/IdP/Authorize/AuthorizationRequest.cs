using IdP.Clients;
using IdP.Protocol.OAuth;
using IdP.Protocol.OpenId;
using IdP.Resources;

namespace IdP.Authorize;

/// <summary>Where an authorization response goes. Its address is proven, so that the response cannot be sent anywhere else.</summary>
internal sealed record ResponseTarget(ValidRedirectUri RedirectUri, string Mode, string? State);

/// <summary>An authorization request as far as the checks have come; complete when all of them have passed.</summary>
internal sealed record AuthorizationRequest(Client Client, FormParameters Form, ResponseTarget Target)
{
    /// <summary>How consent spells a claim that is asked for by name. The prefix is reserved, so that no scope is called the same.</summary>
    public const string ClaimItem = ResourceCatalog.ReservedPrefix + "claim:";

    public RequestedScopes Scopes { get; init; } = RequestedScopes.None;
    public string? Nonce { get; init; }
    public string? CodeChallenge { get; init; }
    public Prompt Prompt { get; init; }

    /// <summary>How long ago the person may have proved who they are; null for any time.</summary>
    public TimeSpan? MaxAge { get; init; }
    public ClaimsRequest Claims { get; init; } = ClaimsRequest.None;

    /// <summary>Whom the client means, from its id_token_hint or a subject asked for by value: nobody else gets through. Null when it means anybody.</summary>
    public IReadOnlyCollection<Guid>? MeantUsers { get; init; }

    /// <summary>The client gave a hint that cannot be believed: whoever is signed in is not taken for the one it means.</summary>
    public bool MeansUnknownUser { get; init; }

    /// <summary>The pushed request that this is; null for one that came through the browser.</summary>
    public Guid? PushedId { get; init; }

    public bool IsOpenId => Scopes.Names.Contains("openid");

    /// <summary>What the person is asked to let the client have, as consent remembers it.</summary>
    public IEnumerable<string> ConsentItems =>
        Scopes.Names.Concat(UserInfo.UserClaims.Requested(Claims.UserInfo.Keys.Concat(Claims.IdToken.Keys), Client).Distinct(StringComparer.Ordinal).Select(name => ClaimItem + name));
}

/// <summary>A request that is refused: to the client if its address is proven, else on a page.</summary>
internal sealed record RefusedRequest(OAuthError Error, ResponseTarget? Target);
