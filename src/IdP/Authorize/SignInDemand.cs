using IdP.Protocol.OAuth;
using IdP.Protocol.OpenId;
using IdP.SecondFactors;

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

    /// <summary>What it says of a second factor.</summary>
    public FactorDemand Factor { get; init; }

    public static SignInDemand Of(AuthorizationRequest request) => new()
    {
        Prompt = request.Prompt,
        MaxAge = request.MaxAge,
        MeantUsers = request.MeantUsers,
        MeansUnknownUser = request.MeansUnknownUser,
        LoginHint = request.Form["login_hint"],
        Factor = FactorOf(request),
    };

    /// <summary>A page of ours takes any account, but perhaps no sign-in of long ago.</summary>
    public static SignInDemand OfOwnPage(Interaction way) => way.FreshWithinSeconds is { } seconds
        ? new() { MaxAge = TimeSpan.FromSeconds(seconds), Factor = FactorDemand.OwnerAlways }
        : new();

    private static FactorDemand FactorOf(AuthorizationRequest request)
    {
        if (request.Client.RequiresPasskey) return FactorDemand.Passkey;
        if (request.Client.RequiresSecondFactor) return FactorDemand.Always;
        // OpenID Connect Core §5.5.1.1: essential values must be met, and a weaker one may be among them. Of wishes the first one counts.
        var asked = request.Claims.IdToken.GetValueOrDefault("acr");
        if (asked is { IsEssential: true } && asked.Values.Contains(Acr.MultiFactor)) return asked.Values.Any(value => value != Acr.MultiFactor && Acr.All.Contains(value)) ? FactorDemand.WhereThereIs : FactorDemand.Always;
        var first = (request.Form["acr_values"]?.Split(' ') ?? []).Concat(asked?.Values ?? []).FirstOrDefault(Acr.All.Contains);
        return first == Acr.MultiFactor ? FactorDemand.WhereThereIs : FactorDemand.Owner;
    }
}
