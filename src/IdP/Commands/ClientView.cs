using System.Text.Json.Serialization;
using IdP.Clients;

namespace IdP.Commands;

/// <summary>A client as commands print it, in one flat object. The names are a promise to scripts; hashes are no part of it.</summary>
internal sealed record ClientView
{
    public required string ClientId { get; init; }

    /// <summary>The secret that was just made for it: the one chance to see it.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ClientSecret { get; init; }
    public string? Name { get; init; }
    public bool Public { get; init; }
    public required List<string> AuthMethods { get; init; }
    public required List<string> Grants { get; init; }
    public required List<string> Scopes { get; init; }
    public required List<string> DefaultScopes { get; init; }
    public required List<string> Origins { get; init; }
    public string? Resource { get; init; }
    public bool AllowPublicPasswordGrant { get; init; }
    public int? AccessTokenLifetime { get; init; }
    public bool RotatesRefreshTokens { get; init; }
    public required List<string> RedirectUris { get; init; }
    public required List<string> PostLogoutRedirectUris { get; init; }
    public bool Native { get; init; }
    public bool AllowCodeWithoutPkce { get; init; }
    public bool RequireSecondFactor { get; init; }
    public bool RequirePasskey { get; init; }
    public bool RequirePushedRequests { get; init; }
    public required string IdTokenAlg { get; init; }
    public string? UserinfoAlg { get; init; }

    /// <summary>The sector of its pairwise subjects; null when they are everybody's.</summary>
    public string? Sector { get; init; }
    public bool SessionRefreshTokens { get; init; }
    public string? LogoUri { get; init; }
    public string? PolicyUri { get; init; }
    public string? TosUri { get; init; }
    public string? BackchannelLogoutUri { get; init; }
    public string? FrontchannelLogoutUri { get; init; }
    public required List<SecretView> Secrets { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? DisabledAt { get; init; }

    /// <param name="client">The client with its secrets and resource.</param>
    /// <param name="made">The secret that was just made for it.</param>
    public static ClientView Of(Client client, string? made = null) => new()
    {
        ClientId = client.ClientId,
        ClientSecret = made,
        Name = client.Name,
        Public = client.IsPublic,
        AuthMethods = client.AuthenticationMethods,
        Grants = client.GrantTypes,
        Scopes = client.Scopes,
        DefaultScopes = client.DefaultScopes,
        Origins = client.Origins,
        Resource = client.Resource?.Identifier,
        AllowPublicPasswordGrant = client.AllowPublicPasswordGrant,
        AccessTokenLifetime = client.AccessTokenLifetimeSeconds,
        RotatesRefreshTokens = client.Rotates,
        RedirectUris = client.RedirectUris,
        PostLogoutRedirectUris = client.PostLogoutRedirectUris,
        Native = client.IsNative,
        AllowCodeWithoutPkce = client.AllowCodeWithoutPkce,
        RequireSecondFactor = client.RequiresSecondFactor,
        RequirePasskey = client.RequiresPasskey,
        RequirePushedRequests = client.RequiresPushedRequests,
        IdTokenAlg = client.IdTokenAlgorithm,
        UserinfoAlg = client.UserInfoAlgorithm,
        Sector = client.Sector,
        SessionRefreshTokens = client.SessionRefreshTokens,
        LogoUri = client.LogoUri,
        PolicyUri = client.PolicyUri,
        TosUri = client.TermsUri,
        BackchannelLogoutUri = client.BackChannelLogoutUri,
        FrontchannelLogoutUri = client.FrontChannelLogoutUri,
        Secrets = [.. client.Secrets.OrderBy(s => s.CreatedAt).Select(s => new SecretView(s.CreatedAt, s.ExpiresAt))],
        CreatedAt = client.CreatedAt,
        DisabledAt = client.DisabledAt,
    };

    /// <summary>The same for people: what does not apply is left out.</summary>
    public IEnumerable<(string, string?)> Lines() =>
    [
        ("client id", ClientId), ("name", Name), ("type", Public ? "public" : "confidential"), ("authenticates by", string.Join(' ', AuthMethods)),
        ("grants", string.Join(' ', Grants)), ("scopes", string.Join(' ', Scopes)), ("default scopes", string.Join(' ', DefaultScopes)), ("origins", string.Join(' ', Origins)),
        ("introspects for", Resource), ("public password grant", AllowPublicPasswordGrant ? "allowed" : null), ("access tokens live", AccessTokenLifetime is { } seconds ? $"{seconds} s" : null),
        .. RedirectUris.Count == 0 ? [] : PageLines(), ("created", Table.Time(CreatedAt)), ("disabled", Table.Time(DisabledAt)),
        .. Secrets.Select(s => ("secret", (string?)$"since {Table.Time(s.CreatedAt)}{(s.ExpiresAt is { } ends ? $", until {Table.Time(ends)}" : "")}")),
    ];

    // Of a client that nobody signs in to, these say nothing.
    private IEnumerable<(string, string?)> PageLines() =>
    [
        .. RedirectUris.Select(address => ("answers go to", (string?)address)), .. PostLogoutRedirectUris.Select(address => ("after sign-out", (string?)address)),
        ("native", Native ? "yes" : null), ("PKCE", AllowCodeWithoutPkce ? "may be left out" : null), ("pushed requests", RequirePushedRequests ? "only" : null),
        ("ID tokens", IdTokenAlg), ("userinfo", UserinfoAlg), ("pairwise sector", Sector), ("refresh tokens", SessionRefreshTokens ? "without offline_access, until the session ends" : null),
        ("logo", LogoUri), ("policy", PolicyUri), ("terms", TosUri), ("back-channel logout", BackchannelLogoutUri), ("front-channel logout", FrontchannelLogoutUri),
    ];
}

internal sealed record SecretView(DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt);
