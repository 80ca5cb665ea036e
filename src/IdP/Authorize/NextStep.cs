using IdP.Account;
using IdP.Passkeys;
using IdP.Protocol.OAuth;
using IdP.Protocol.OpenId;
using IdP.SecondFactors;
using IdP.Sessions;

namespace IdP.Authorize;

/// <summary>What an authorization request needs next.</summary>
internal enum NextStep
{
    /// <summary>Nothing: the code can be issued.</summary>
    Complete,

    /// <summary>The person proves who they are, for the first time or once more.</summary>
    SignIn,

    /// <summary>The person makes an account.</summary>
    SignUp,

    /// <summary>The person proves a second factor.</summary>
    SecondFactor,

    /// <summary>The person has no second factor and has to set one up.</summary>
    SetUpFactor,

    /// <summary>The person has no passkey and has to make one.</summary>
    SetUpPasskey,

    /// <summary>The person says whether to go on with the account that is signed in.</summary>
    ChooseAccount,

    /// <summary>The person says whether to make a passkey in place of the password that they have just typed.</summary>
    OfferPasskey,

    /// <summary>The person lets the client have what it asks for.</summary>
    Consent,

    /// <summary>The person has refused.</summary>
    Refused,
}

/// <summary>Decides it. Pure: everything that counts is an argument.</summary>
internal static class NextSteps
{
    /// <param name="request">What is asked for.</param>
    /// <param name="way">What the person has done for it so far.</param>
    /// <param name="session">Who is signed in.</param>
    /// <param name="factors">What the account has and needs besides its first factor: of whoever waits with a first factor, else of whoever is signed in.</param>
    /// <param name="isConsented">Whether remembered consent covers the request.</param>
    /// <param name="now">The time.</param>
    public static NextStep Decide(AuthorizationRequest request, Interaction way, SignedIn? session, AccountFactors factors, bool isConsented, DateTimeOffset now)
    {
        if (way.IsRefused) return NextStep.Refused;
        if (ForSignIn(SignInDemand.Of(request), way, session, factors, now) is { } missing) return missing;
        // Also what was agreed to on the way counts as long as it stands: it may have been taken back, or the client changed, since.
        if (!isConsented) return NextStep.Consent;
        if (way.ConsentSession == session!.SessionId) return NextStep.Complete;
        // RFC 8252 §8.6: where another app may be listening, the person is asked every time.
        var mayRemember = !(request.Client.IsPublic && RedirectUri.CanBeImpersonated(request.Target.RedirectUri.Value));
        return mayRemember && !request.Prompt.HasFlag(Prompt.Consent) ? NextStep.Complete : NextStep.Consent;
    }

    /// <summary>What is still missing before the person is signed in as the demand wants it; null when nothing is.</summary>
    public static NextStep? ForSignIn(SignInDemand demand, Interaction way, SignedIn? session, AccountFactors factors, DateTimeOffset now)
    {
        // Who has proved one factor for this goes on with the other; nothing else opens by it.
        if (way.FirstFactor is { } first && first.IsYoung(now) && demand.MeantUsers?.Contains(first.UserId) != false) return factors.HasAny ? NextStep.SecondFactor : NextStep.SetUpFactor;
        if (IdentityMissing(demand, way, session, now) is { } missing) return missing;
        // The factors are those of whoever waits; nobody's session is judged by somebody else's.
        if (way.FirstFactor is { } other && other.UserId != session!.UserId) return NextStep.SignIn;
        if (NeedsPasskey(demand, factors)) return PasskeyMissing(session!, factors, now);
        if (session!.Acr == Acr.MultiFactor) return null;
        var isDue = factors.MustHave || demand.Factor switch
        {
            FactorDemand.Always => true,
            FactorDemand.WhereThereIs => factors.HasAny,
            FactorDemand.OwnerAlways => factors.IsAsked,
            _ => false,
        };
        if (!isDue) return null;
        if (factors.HasAny) return NextStep.SecondFactor;
        return MaySetUp(way, session, now) ? NextStep.SetUpFactor : NextStep.SignIn;
    }

    /// <summary>Whether nothing but a passkey will do.</summary>
    public static bool NeedsPasskey(SignInDemand demand, AccountFactors factors) => factors.MustHavePasskey || demand.Factor == FactorDemand.Passkey;

    private static NextStep? PasskeyMissing(SignedIn session, AccountFactors factors, DateTimeOffset now)
    {
        if (PasskeyProof.IsIn(session.Amr)) return null;
        if (factors.HasPasskey) return NextStep.SecondFactor;
        // As where passkeys are added by one's own wish: after a fresh sign-in, as strong as the account can prove it.
        if (now - session.AuthenticatedAt > AccountDoor.Fresh) return NextStep.SignIn;
        return factors.IsAsked && session.Acr != Acr.MultiFactor ? NextStep.SecondFactor : NextStep.SetUpPasskey;
    }

    /// <summary>A new factor is a key to the account: it is not made by the word of a session of long ago, which may be a stolen one.</summary>
    public static bool MaySetUp(Interaction way, SignedIn session, DateTimeOffset now) =>
        (way.FreshSession == session.SessionId && way.FreshGeneration == session.Generation) || now - session.AuthenticatedAt <= AccountDoor.Fresh;

    private static NextStep? IdentityMissing(SignInDemand demand, Interaction way, SignedIn? session, DateTimeOffset now)
    {
        var isFresh = session is not null && way.FreshSession == session.SessionId && way.FreshGeneration == session.Generation;
        // Initiating User Registration via OpenID Connect §4.1: whoever is signed in. Who has an account after all may sign in there instead.
        if (demand.Prompt.HasFlag(Prompt.Create) && !isFresh) return NextStep.SignUp;
        if (session is null) return NextStep.SignIn;
        // OpenID Connect Core §3.1.2.2: never an answer for somebody else, however fresh their sign-in.
        if (demand.MeantUsers is { } meant && !meant.Contains(session.UserId)) return NextStep.SignIn;
        if (isFresh) return way.OffersPasskey ? NextStep.OfferPasskey : null;
        if (demand.Prompt.HasFlag(Prompt.Login) || demand.MeansUnknownUser) return NextStep.SignIn;
        // OpenID Connect Core §3.1.2.1: max_age=0 is prompt=login.
        if (demand.MaxAge is { } most && (most == TimeSpan.Zero || now - session.AuthenticatedAt > most)) return NextStep.SignIn;
        return demand.Prompt.HasFlag(Prompt.SelectAccount) && way.ChosenSession != session.SessionId ? NextStep.ChooseAccount : null;
    }

    /// <summary>What a client is told that wanted no page to be shown (OpenID Connect Core §3.1.2.6).</summary>
    public static OAuthError WithoutPage(NextStep step) => step switch
    {
        NextStep.SignIn or NextStep.SecondFactor or NextStep.SetUpFactor or NextStep.SetUpPasskey => new("login_required", "the person must sign in, and the request allows no page"),
        NextStep.ChooseAccount => new("account_selection_required", "the person must choose an account, and the request allows no page"),
        _ => new("consent_required", "the person must consent, and the request allows no page"),
    };
}
