namespace IdP.SecondFactors;

/// <summary>What an account has and needs besides its first factor.</summary>
/// <param name="HasAuthenticator">It has an app that shows one-time passwords.</param>
/// <param name="HasPasskey">It has a passkey, which is a whole sign-in and so a second factor where one is demanded.</param>
/// <param name="IsAsked">A password alone does not sign in: the account has an app, or a passkey where passkeys are asked for after passwords.</param>
/// <param name="MustHave">A role that it holds demands a second factor at every sign-in.</param>
/// <param name="MustHavePasskey">A role that it holds demands a passkey at every sign-in.</param>
internal sealed record AccountFactors(bool HasAuthenticator, bool HasPasskey, bool IsAsked, bool MustHave, bool MustHavePasskey)
{
    public static readonly AccountFactors None = new(false, false, false, false, false);

    /// <summary>Whether the person can prove a second factor now.</summary>
    public bool HasAny => HasAuthenticator || HasPasskey;
}

/// <summary>What a demand says of the second factor.</summary>
internal enum FactorDemand
{
    /// <summary>As the account's owner has it, unless the browser is trusted.</summary>
    Owner,

    /// <summary>As the account's owner has it, however far the browser is trusted.</summary>
    OwnerAlways,

    /// <summary>Wherever the account can prove one.</summary>
    WhereThereIs,

    /// <summary>In any case: who has none sets one up.</summary>
    Always,

    /// <summary>A passkey and nothing else: who has none makes one.</summary>
    Passkey,
}
