using IdP.Protocol;
using IdP.Protocol.Jose;
using IdP.Protocol.OAuth;

namespace IdP.Clients;

/// <summary>What must hold of a new client whose users come here to sign in: its addresses, its algorithms, its subjects. Pure.</summary>
internal static class NewClientPages
{
    public static string? Problem(NewClient asked)
    {
        var hasCode = asked.GrantTypes.Contains(GrantNames.AuthorizationCode);
        if (hasCode && asked.RedirectUris.Count == 0) return "The grant authorization_code needs an address to answer to: add a redirect-uri.";
        if (!hasCode && asked.RedirectUris.Count > 0) return "A redirect-uri is for the grant authorization_code: add that grant, or leave the address out.";
        if (asked.IsPublic && asked.AllowCodeWithoutPkce) return "Nothing but PKCE protects the codes of a public client: leave allow-code-without-pkce out, or make the client confidential.";
        if (asked.SessionRefreshTokens && !(hasCode && asked.GrantTypes.Contains(GrantNames.RefreshToken)))
            return "session-refresh-tokens is for clients with the grants authorization_code and refresh_token: add them, or leave it out.";
        return AddressProblem(asked) ?? AlgorithmProblem(asked.IdTokenAlgorithm) ?? AlgorithmProblem(asked.UserInfoAlgorithm) ?? SectorProblem(asked);
    }

    /// <summary>OpenID Connect Core §8.1: the host of the redirect addresses, unless another was given.</summary>
    public static string? SectorOf(NewClient asked) => asked.IsPairwise ? asked.Sector ?? new Uri(asked.RedirectUris[0]).Host : null;

    private static string? AddressProblem(NewClient asked)
    {
        foreach (var address in asked.RedirectUris)
            if (RedirectUri.Problem(address, asked.IsNative) is { } problem) return $"The redirect-uri {PlainText.Quoted(address)} cannot be used: {problem}.";
        foreach (var address in asked.PostLogoutRedirectUris)
            if (RedirectUri.Problem(address, asked.IsNative) is { } problem) return $"The post-logout-redirect-uri {PlainText.Quoted(address)} cannot be used: {problem}.";
        (string Name, string? Address)[] pages =
        [
            ("logo-uri", asked.LogoUri), ("policy-uri", asked.PolicyUri), ("tos-uri", asked.TermsUri),
            ("backchannel-logout-uri", asked.BackChannelLogoutUri), ("frontchannel-logout-uri", asked.FrontChannelLogoutUri),
        ];
        foreach (var (name, address) in pages)
            if (address is not null && (RedirectUri.Problem(address, isNative: false) is { } problem))
                return $"The {name} {PlainText.Quoted(address)} cannot be used: {problem}.";
        // Front-Channel Logout §2: where the app itself is, so that no client has people's browsers call somebody else.
        if (asked.FrontChannelLogoutUri is { } frame && !asked.RedirectUris.Any(address => WebOrigin.Of(address) == WebOrigin.Of(frame)))
            return $"The frontchannel-logout-uri {PlainText.Quoted(frame)} cannot be used: its scheme, host and port must be those of a redirect-uri.";
        return null;
    }

    private static string? AlgorithmProblem(string? algorithm) => algorithm is null || SigningAlgorithms.IsSupported(algorithm)
        ? null
        : $"The algorithm {PlainText.Quoted(algorithm)} is unknown: use ES256, RS256 or PS256.";

    private static string? SectorProblem(NewClient asked)
    {
        if (!asked.IsPairwise) return asked.Sector is null ? null : "A sector is for pairwise subjects: add pairwise, or leave the sector out.";
        if (asked.Sector is { } sector) return Uri.CheckHostName(sector) == UriHostNameType.Unknown ? $"The sector {PlainText.Quoted(sector)} is not a host name." : null;
        if (asked.RedirectUris.Count == 0) return "Pairwise subjects are for clients that people sign in to: add a redirect-uri.";
        // OpenID Connect Core §8.1: several hosts need a sector that somebody decided on.
        return asked.RedirectUris.Select(address => new Uri(address).Host).Distinct(StringComparer.Ordinal).Count() > 1
            ? "The redirect addresses are on several hosts: say with sector which of them the subjects are for."
            : null;
    }
}
