using IdP.Protocol.OAuth;

namespace IdP.Authorize;

/// <summary>What is wanted of a sign-in, whoever wants it: an app, or a page of ours.</summary>
internal sealed record SignInDemand
{
    public Prompt Prompt { get; init; }

    /// <summary>How long ago the person may have proved who they are; null for any time.</summary>
    public TimeSpan? MaxAge { get; init; }

    /// <summary>Who is meant: nobody else gets through. Null when anybody is.</summary>
    public IReadOnlyCollection<Guid>? MeantUsers { get; init; }

    /// <summary>Somebody is meant whom nobody can name: whoever is signed in is not taken for them.</summary>
    public bool MeansUnknownUser { get; init; }

    /// <summary>The name that the sign-in page begins with.</summary>
    public string? LoginHint { get; init; }

    public static SignInDemand Of(AuthorizationRequest request) => new()
    {
        Prompt = request.Prompt,
        MaxAge = request.MaxAge,
        MeantUsers = request.MeantUsers,
        MeansUnknownUser = request.MeansUnknownUser,
        LoginHint = request.Form["login_hint"],
    };

    /// <summary>A page of ours takes any account, but perhaps no sign-in of long ago.</summary>
    public static SignInDemand OfOwnPage(Interaction way) => new() { MaxAge = way.FreshWithinSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null };
}
