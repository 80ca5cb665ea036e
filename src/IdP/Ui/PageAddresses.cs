using IdP.Authorize;

namespace IdP.Ui;

/// <summary>Where the pages are.</summary>
internal static class PageAddresses
{
    public const string SignIn = "/sign-in";
    public const string Consent = "/consent";
    public const string SignOut = "/sign-out";
    public const string SignedOut = "/signed-out";
    public const string Error = "/error";

    /// <summary>The page on which a step is taken.</summary>
    public static string Of(NextStep step) => step == NextStep.Consent ? Consent : SignIn;
}
