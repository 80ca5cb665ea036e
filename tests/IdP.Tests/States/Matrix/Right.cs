namespace IdP.Tests.States.Matrix;

/// <summary>What a path hangs on, and what a change takes away. A path refuses exactly when the change has taken something that it needs.</summary>
[Flags]
public enum Right
{
    None = 0,

    /// <summary>An account of that name is there and enabled.</summary>
    Account = 1 << 0,

    /// <summary>It is still the same account.</summary>
    Identity = 1 << 17,

    /// <summary>The password that was known before.</summary>
    Password = 1 << 1,

    /// <summary>What was proved or sent earlier and waits: links in mails, first factors, trusted browsers.</summary>
    Pending = 1 << 2,

    /// <summary>A session in another browser than the one in which the change is made.</summary>
    Session = 1 << 3,

    /// <summary>What was granted to apps.</summary>
    Grants = 1 << 4,
    Consent = 1 << 5,
    Role = 1 << 6,

    /// <summary>What was proved by an authenticator app.</summary>
    SecondFactor = 1 << 7,
    Passkey = 1 << 8,
    ApiKey = 1 << 9,
    Upstream = 1 << 10,
    Client = 1 << 11,

    /// <summary>The client has been enabled all the time: what it had before does not come back with it.</summary>
    Tenure = 1 << 18,
    ClientSecret = 1 << 12,
    ClientGrants = 1 << 13,
    RedirectUri = 1 << 14,
    SigningKey = 1 << 15,
    SealingKey = 1 << 16,
}
