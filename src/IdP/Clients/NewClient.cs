using IdP.Protocol;
using IdP.Protocol.Jose;
using IdP.Protocol.OAuth;
using IdP.Resources;

namespace IdP.Clients;

/// <summary>A client that somebody wants to add. What can be judged without the database is judged here.</summary>
internal sealed record NewClient(string ClientId)
{
    public const int ShortestSecret = 8;

    /// <summary>Grants keep their scopes in a column of this length.</summary>
    private const int LongestScopeText = 4000;

    public string? Name { get; init; }
    public bool IsPublic { get; init; }

    /// <summary>The secret in clear: needed for a confidential client, refused for a public one.</summary>
    public string? Secret { get; init; }

    /// <summary>Empty: none for a public client, Basic and Post for a confidential one.</summary>
    public IReadOnlyList<string> AuthenticationMethods { get; init; } = [];
    public IReadOnlyList<string> GrantTypes { get; init; } = [];
    public IReadOnlyList<string> Scopes { get; init; } = [];
    public IReadOnlyList<string> DefaultScopes { get; init; } = [];
    public IReadOnlyList<string> Origins { get; init; } = [];

    /// <summary>An identifier of the resource for which this client may introspect.</summary>
    public string? Resource { get; init; }
    public bool AllowPublicPasswordGrant { get; init; }
    public int? AccessTokenLifetimeSeconds { get; init; }

    /// <summary>Null: public clients rotate, confidential ones do not.</summary>
    public bool? RotatesRefreshTokens { get; init; }
    public IReadOnlyList<string> RedirectUris { get; init; } = [];
    public IReadOnlyList<string> PostLogoutRedirectUris { get; init; } = [];
    public bool IsNative { get; init; }
    public bool AllowCodeWithoutPkce { get; init; }
    public bool RequiresSecondFactor { get; init; }
    public bool RequiresPasskey { get; init; }
    public bool RequiresPushedRequests { get; init; }
    public string IdTokenAlgorithm { get; init; } = SigningAlgorithms.RS256;
    public string? UserInfoAlgorithm { get; init; }
    public bool IsPairwise { get; init; }

    /// <summary>The host that clients with the same pairwise subjects share; null takes that of the redirect addresses.</summary>
    public string? Sector { get; init; }
    public bool SessionRefreshTokens { get; init; }
    public string? LogoUri { get; init; }
    public string? PolicyUri { get; init; }
    public string? TermsUri { get; init; }
    public string? BackChannelLogoutUri { get; init; }
    public string? FrontChannelLogoutUri { get; init; }

    public IReadOnlyList<string> EffectiveMethods =>
        AuthenticationMethods.Count > 0 ? AuthenticationMethods : IsPublic ? [AuthenticationMethodNames.None] : [AuthenticationMethodNames.Basic, AuthenticationMethodNames.Post];

    /// <summary>The first thing that is wrong, as a sentence; null when nothing is.</summary>
    public string? Problem(IEnumerable<string> knownMethods)
    {
        if (ClientIdentifier.Problem(ClientId) is { } id) return $"The client id {PlainText.Quoted(ClientId)} cannot be used: {id}.";
        if (Name is not null && !PlainText.IsFine(Name, 256)) return "The name must be 1 to 256 characters without line breaks, control characters or spaces around it.";
        return MethodProblem(knownMethods) ?? GrantProblem() ?? ScopeProblem() ?? OriginProblem() ?? NewClientPages.Problem(this) ?? NewResource.LifetimeProblem(AccessTokenLifetimeSeconds);
    }

    public static string? SecretProblem(string secret)
    {
        if (secret.Length is < ShortestSecret or > SecretHash.LongestSecret) return $"The secret must have {ShortestSecret} to {SecretHash.LongestSecret} characters: choose another, or give none to have one made.";
        // HTTP Basic cannot carry control characters.
        return PlainText.IsFine(secret, SecretHash.LongestSecret) ? null : "The secret has control characters or spaces around it, which clients cannot send: choose another, or give none to have one made.";
    }

    private string? MethodProblem(IEnumerable<string> knownMethods)
    {
        var known = knownMethods.ToList();
        foreach (var method in EffectiveMethods)
            if (!known.Contains(method)) return $"The authentication method {PlainText.Quoted(method)} is unknown: use {string.Join(", ", known)}.";
        if (IsPublic)
        {
            if (Secret is not null) return "A public client cannot keep a secret: leave the secret out, or make the client confidential.";
            if (EffectiveMethods.Any(m => m != AuthenticationMethodNames.None)) return "A public client authenticates with none: leave the other methods out, or make the client confidential.";
            // RFC 7662 §2.1: who introspects must prove who it is.
            return Resource is null ? null : "A public client may not introspect for a resource: leave the resource out, or make the client confidential.";
        }
        if (EffectiveMethods.Contains(AuthenticationMethodNames.None)) return "The authentication method none is for public clients: use another, or make the client public.";
        return Secret is null ? "A confidential client needs a secret." : SecretProblem(Secret);
    }

    private string? GrantProblem()
    {
        foreach (var grant in GrantTypes)
            if (!GrantNames.All.Contains(grant)) return $"The grant {PlainText.Quoted(grant)} is unknown: use {string.Join(", ", GrantNames.All)}.";
        var hasPassword = GrantTypes.Contains(GrantNames.Password);
        // RFC 6749 §4.4: only confidential clients.
        if (IsPublic && GrantTypes.Contains(GrantNames.ClientCredentials)) return "A public client may not use client_credentials: leave that grant out, or make the client confidential.";
        if (IsPublic && hasPassword && !AllowPublicPasswordGrant)
            return "With the password grant of a public client anybody can try passwords in its name: set allow-public-password-grant too if that is meant.";
        // Nothing else gives refresh tokens; RFC 6749 §4.4.3 says that client_credentials does not.
        if (GrantTypes.Contains(GrantNames.RefreshToken) && !hasPassword && !GrantTypes.Contains(GrantNames.AuthorizationCode))
            return "The grant refresh_token needs a grant that gives refresh tokens: add authorization_code or password, or leave it out.";
        // RFC 9700 §2.2.2: nothing else protects the refresh tokens of a public client.
        if (IsPublic && RotatesRefreshTokens == false) return "The refresh tokens of a public client must rotate: leave rotate-refresh-tokens out, or make the client confidential.";
        return AllowPublicPasswordGrant && !(IsPublic && hasPassword) ? "The switch allow-public-password-grant is for a public client with the password grant: leave it out." : null;
    }

    private string? ScopeProblem()
    {
        if (DefaultScopes.FirstOrDefault(name => !Scopes.Contains(name)) is { } missing)
            return $"The default scope {PlainText.Quoted(missing)} is not among the client's scopes: add it there too.";
        return string.Join(' ', Scopes).Length > LongestScopeText ? $"The scopes together are longer than {LongestScopeText} characters: give the client fewer." : null;
    }

    private string? OriginProblem()
    {
        foreach (var origin in Origins)
        {
            var sent = WebOrigin.Of(origin);
            if (sent is null) return $"The origin {PlainText.Quoted(origin)} is not one: it looks like https://app.example or http://localhost:3000.";
            if (sent != origin) return $"A browser never sends the origin {PlainText.Quoted(origin)}: use {PlainText.Quoted(sent)}.";
        }
        return null;
    }
}
