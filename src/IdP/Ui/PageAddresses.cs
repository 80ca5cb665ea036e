using IdP.Authorize;

namespace IdP.Ui;

/// <summary>Where the pages are, and what they load.</summary>
internal static class PageAddresses
{
    public const string Style = "/ui/idp.css";
    public const string PasskeyScript = "/ui/passkeys.js";
    public const string WorkScript = "/ui/work.js";
    public const string SignIn = "/sign-in";
    public const string SignUp = "/sign-up";
    public const string Recovery = "/recovery";
    public const string NewPassword = "/recovery/password";
    public const string CompleteSignUp = "/sign-up/complete";
    public const string Email = "/account/email";
    public const string ConfirmEmail = "/account/email/confirm";
    public const string SecondFactor = "/sign-in/second-factor";
    public const string SetUpFactor = "/sign-in/set-up";
    public const string Consent = "/consent";
    public const string SignInByPasskey = "/sign-in/passkey";
    public const string Passkeys = "/account/passkeys";
    public const string OfferPasskey = "/account/passkeys/offer";
    public const string SignOut = "/sign-out";
    public const string SignedOut = "/signed-out";
    public const string Error = "/error";

    /// <summary>The page on which a step is taken.</summary>
    public static string Of(NextStep step) => step switch
    {
        NextStep.Consent => Consent,
        NextStep.OfferPasskey or NextStep.SetUpPasskey => OfferPasskey,
        NextStep.SignUp => SignUp,
        NextStep.SecondFactor => SecondFactor,
        NextStep.SetUpFactor => SetUpFactor,
        _ => SignIn,
    };
}
