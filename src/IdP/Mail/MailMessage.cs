namespace IdP.Mail;

/// <summary>What a mail tells; each has its texts under this name, in every language.</summary>
internal enum MailKind
{
    /// <summary>A link with which a new password is set.</summary>
    ResetPassword,
    PasswordChanged,

    /// <summary>A link with which a new account is completed.</summary>
    SignUp,

    /// <summary>Somebody wanted to sign up with an address that has an account.</summary>
    HasAccount,
    Invitation,

    /// <summary>A link that confirms an address.</summary>
    ConfirmEmail,

    /// <summary>To the old address: a new one waits to be confirmed.</summary>
    EmailChangeAsked,

    /// <summary>To the old address: it is not the account's any more.</summary>
    EmailChanged,
    SecondFactorAdded,
    SecondFactorRemoved,
    RecoveryCodesMade,
    PasskeyAdded,
    PasskeyRemoved,
    AccountDeleted,
}

/// <summary>One mail before it is written. It has room for nothing that a stranger has typed: what is not in it cannot be abused.</summary>
/// <param name="Kind">What it tells.</param>
/// <param name="To">Where it goes, as <see cref="Accounts.EmailAddress.Canonical"/> made it.</param>
/// <param name="Locale">The language of its reader, as the account or the page has it; English when we do not speak it.</param>
/// <param name="Path">Where its link leads, on this provider: path and query; null for a mail without a link.</param>
/// <param name="Subject">Whose account it is about, for the audit when it cannot be delivered; null when there is none yet.</param>
internal sealed record MailMessage(MailKind Kind, string To, string? Locale, string? Path = null, string? Subject = null);
