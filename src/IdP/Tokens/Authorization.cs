using IdP.Clients;
using IdP.Resources;
using IdP.Roles;

namespace IdP.Tokens;

/// <summary>The result of any grant: who may do what at which API. It is all that <see cref="TokenIssuer"/> needs.</summary>
internal sealed record Authorization(Client Client, GrantedScopes Granted, string Subject)
{
    /// <summary>The grant that the tokens hang on; null for client_credentials.</summary>
    public Guid? GrantId { get; init; }

    /// <summary>The refresh token to give; null gives none.</summary>
    public string? RefreshToken { get; init; }

    /// <summary>When the person proved who they are.</summary>
    public DateTimeOffset? AuthenticatedAt { get; init; }

    /// <summary>How they proved it.</summary>
    public string? Acr { get; init; }

    /// <summary>What an ID token says; null gives none.</summary>
    public SignInFacts? SignIn { get; init; }

    /// <summary>What the subject may do at the API by the roles that it holds.</summary>
    public Rights Rights { get; init; } = Rights.None;

    public required TimeSpan AccessTokenLifetime { get; init; }

    /// <summary>The shorter of what the resource and the client say, else the default.</summary>
    public static TimeSpan Lifetime(Client client, Resource? api, IdpOptions options)
    {
        var seconds = Math.Min(client.AccessTokenLifetimeSeconds ?? int.MaxValue, api?.AccessTokenLifetimeSeconds ?? int.MaxValue);
        return TimeSpan.FromSeconds(seconds == int.MaxValue ? options.Tokens.AccessTokenLifetimeSeconds : seconds);
    }
}

/// <summary>What the token endpoint answers with.</summary>
internal sealed record TokenResponse(string AccessToken, int ExpiresIn, string Scope, string? RefreshToken, string? IdToken);
