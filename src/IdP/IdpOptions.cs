namespace IdP;

/// <summary>Everything that can be configured. A key that is not here stops the start.</summary>
public sealed class IdpOptions
{
    /// <summary>The issuer identifier: the public https URL of this provider, without a trailing slash. Default: the first of Urls.</summary>
    public string? Issuer { get; set; }

    /// <summary>Addresses to listen on, separated by semicolons.</summary>
    public string Urls { get; set; } = "http://localhost:8080";

    /// <summary>Where data is kept.</summary>
    public StorageOptions Storage { get; set; } = new();

    /// <summary>Signing keys and the master key that seals them.</summary>
    public KeyOptions Keys { get; set; } = new();

    /// <summary>Lifetimes of tokens.</summary>
    public TokenOptions Tokens { get; set; } = new();

    /// <summary>API keys of people and clients.</summary>
    public ApiKeyOptions ApiKeys { get; set; } = new();

    /// <summary>How long people stay signed in.</summary>
    public SessionOptions Sessions { get; set; } = new();

    /// <summary>Password hashing and what happens after wrong passwords.</summary>
    public PasswordOptions Passwords { get; set; } = new();

    /// <summary>Second factors.</summary>
    public SecondFactorOptions SecondFactors { get; set; } = new();

    /// <summary>Whom passkeys are for.</summary>
    public PasskeyOptions Passkeys { get; set; } = new();

    /// <summary>Who may make an account for themselves.</summary>
    public RegistrationOptions Registration { get; set; } = new();

    /// <summary>How many failures are too many.</summary>
    public LimitOptions Limits { get; set; } = new();

    /// <summary>Mails to people.</summary>
    public MailOptions Mail { get; set; } = new();

    /// <summary>The removal of rows that have expired.</summary>
    public RetentionOptions Retention { get; set; } = new();

    /// <summary>The listener.</summary>
    public HttpOptions Http { get; set; } = new();

    /// <summary>Figures for Prometheus.</summary>
    public MetricsOptions Metrics { get; set; } = new();

    /// <summary>Traces and metrics for an OpenTelemetry collector.</summary>
    public TelemetryOptions Telemetry { get; set; } = new();
}

/// <summary>Where data is kept.</summary>
public sealed class StorageOptions
{
    /// <summary>The engine: sqlite (embedded), postgres or sqlserver.</summary>
    public string Provider { get; set; } = "sqlite";

    /// <summary>The folder of the embedded database, of the master key, and of mails while there is no Mail:SmtpHost. The command-line option --data sets it.</summary>
    public string DataDirectory { get; set; } = "data";

    /// <summary>The connection string of a database server. Secret.</summary>
    public string? ConnectionString { get; set; }

    /// <summary>Whether a start brings the database to the current version; otherwise the command migrate does.</summary>
    public bool MigrateAtStart { get; set; } = true;

    /// <summary>How many seconds a statement waits for a locked database.</summary>
    public int BusyTimeoutSeconds { get; set; } = 5;

    /// <summary>How many rows at most one round trip to a database server writes when a change has many. Default: what suits the engine.</summary>
    public int? MaxBatchSize { get; set; }
}

/// <summary>Signing keys and the master key that seals them.</summary>
public sealed class KeyOptions
{
    /// <summary>The master keys, 32 bytes as base64, separated by spaces: the first seals, all open. Secret.</summary>
    public string? MasterKey { get; set; }

    /// <summary>A file with master keys, one a line. Default: master.key in the data folder, written at the first start.</summary>
    public string? MasterKeyFile { get; set; }

    /// <summary>A PEM or PKCS#12 file with a private key from which the master key is derived.</summary>
    public string? MasterKeyCertificate { get; set; }

    /// <summary>The password of MasterKeyCertificate. Secret.</summary>
    public string? MasterKeyCertificatePassword { get; set; }

    /// <summary>Days that a signing key is used before the next one takes over.</summary>
    public int LifetimeDays { get; set; } = 90;

    /// <summary>Days that the next signing key is published before its first use; at least 1.</summary>
    public int PublishDays { get; set; } = 7;
}

/// <summary>Lifetimes of tokens.</summary>
public sealed class TokenOptions
{
    /// <summary>Seconds that an access token lives unless its resource or client says otherwise.</summary>
    public int AccessTokenLifetimeSeconds { get; set; } = 3600;

    /// <summary>Days after which a refresh token that is not used ends.</summary>
    public int RefreshIdleDays { get; set; } = 30;

    /// <summary>Days after which a refresh token ends however often it is used.</summary>
    public int RefreshAbsoluteDays { get; set; } = 180;

    /// <summary>Seconds that an ID token is valid.</summary>
    public int IdTokenLifetimeSeconds { get; set; } = 3600;

    /// <summary>Seconds within which an authorization code must be redeemed; at most 60.</summary>
    public int CodeLifetimeSeconds { get; set; } = 60;

    /// <summary>Seconds within which a pushed authorization request must be opened; less than 600.</summary>
    public int PushedRequestLifetimeSeconds { get; set; } = 90;

    /// <summary>Seconds for which a refresh token that was just replaced still gets the same answer, because answers get lost; at most 60, and 0 is strict.</summary>
    public int RefreshOverlapSeconds { get; set; } = 10;
}

/// <summary>API keys of people and clients.</summary>
public sealed class ApiKeyOptions
{
    /// <summary>Days after which a key ends unless its maker says otherwise.</summary>
    public int DefaultDays { get; set; } = 90;

    /// <summary>The most days after which a key can end.</summary>
    public int LongestDays { get; set; } = 366;

    /// <summary>How many keys that count one person or client can have.</summary>
    public int PerOwner { get; set; } = 50;

    /// <summary>Scopes that people can give keys which they make on their account page, separated by spaces; empty: they make none there.</summary>
    public string AccountScopes { get; set; } = "";
}

/// <summary>How long people stay signed in.</summary>
public sealed class SessionOptions
{
    /// <summary>Minutes after which a session that is not used ends.</summary>
    public int IdleMinutes { get; set; } = 480;

    /// <summary>Hours after which a session ends however often it is used.</summary>
    public int AbsoluteHours { get; set; } = 168;
}

/// <summary>Password hashing and what happens after wrong passwords.</summary>
public sealed class PasswordOptions
{
    /// <summary>Rounds of PBKDF2-HMAC-SHA512 for new hashes. Fewer than 210000 is logged as unsafe.</summary>
    public int Iterations { get; set; } = RecommendedIterations;

    /// <summary>Threads that hash. Default 0: one for each core.</summary>
    public int HashThreads { get; set; }

    /// <summary>Password checks that may wait for each hash thread; beyond it the answer is 503.</summary>
    public int QueuePerThread { get; set; } = 8;

    /// <summary>Wrong passwords for one account within the window that lock it for strangers until the window ends.</summary>
    public int LockoutAttempts { get; set; } = 5;

    /// <summary>The window in seconds.</summary>
    public int LockoutSeconds { get; set; } = 900;

    /// <summary>A file of passwords known from breaches that nobody may choose: lines of SHA-1 hash, colon, count, in the order of the hashes (as Have I Been Pwned gives them out). Default: none.</summary>
    public string? BreachedFile { get; set; }

    internal const int RecommendedIterations = 210_000;
}

/// <summary>Whom passkeys are for.</summary>
public sealed class PasskeyOptions
{
    /// <summary>The domain that passkeys are made for: the issuer's host or one that it is in. Default: the issuer's host. Passkeys made for another domain work no more.</summary>
    public string? RelyingPartyId { get; set; }

    /// <summary>Other https origins whose pages may use these passkeys, separated by spaces; /.well-known/webauthn tells browsers.</summary>
    public string RelatedOrigins { get; set; } = "";

    /// <summary>Whether a person who has a passkey is asked for it after a password, or another provider's word, as people with an authenticator app are for a code. Without it a passkey is one more way in, and the password alone stays another.</summary>
    public bool AskAsSecondFactor { get; set; }
}

/// <summary>One-time passwords and the browsers that are trusted after them.</summary>
public sealed class SecondFactorOptions
{
    /// <summary>How many steps of 30 seconds a code may be early or late: 0 or 1.</summary>
    public int StepTolerance { get; set; } = 1;

    /// <summary>Days for which a browser may be trusted after a second factor; 0 offers it to nobody.</summary>
    public int RememberDays { get; set; } = 30;
}

/// <summary>Who may make an account for themselves.</summary>
public sealed class RegistrationOptions
{
    /// <summary>off: operators add accounts; invitation: whoever is invited by the command user invite; open: everybody with an e-mail address, by a link on the sign-in page and prompt=create.</summary>
    public string Mode { get; set; } = "off";
}

/// <summary>How many failures are too many. Only failures count.</summary>
public sealed class LimitOptions
{
    /// <summary>Failures a minute of one caller (client or user name, at one address) before it gets 429, counted by each node for itself.</summary>
    public int FailuresPerCaller { get; set; } = 30;

    /// <summary>Failures a minute of one address before callers there that never succeeded get 429, counted by each node for itself.</summary>
    public int FailuresPerAddress { get; set; } = 300;

    /// <summary>Wrong passwords an hour from one network (an IPv4 address, the /64 of an IPv6 address), on all nodes together, before people there whose browser is not known wait longer and longer, up to ten minutes each time.</summary>
    public int WrongPasswordsPerNetwork { get; set; } = 200;

    /// <summary>Wrong passwords an hour for one account from browsers that it is not known in, on all nodes together, before strangers to it wait longer and longer, up to ten minutes each time. Beyond the lockout, and like it never for the account's own browsers.</summary>
    public int WrongPasswordsPerAccount { get; set; } = 20;

    /// <summary>Bits of work that a browser does before a sign-up, before a link for a forgotten password, and for a sign-in in place of waiting after too many wrong passwords: 0 asks for none, 18 is about a second or two. It is done by a script; without one such a form waits half a minute.</summary>
    public int ProofOfWorkBits { get; set; }

    /// <summary>Authorization requests a minute that may be pushed from one address in the name of a public client before it gets 429, counted by each node for itself.</summary>
    public int PushesPerPublicCaller { get; set; } = 120;

    /// <summary>Mails an hour that may be asked for from one address (a forgotten password, a sign-up) before it gets 429, on all nodes together.</summary>
    public int MailsPerAddress { get; set; } = 60;

    /// <summary>Unrecognizable tokens a minute that one resource server may introspect before it gets 429, counted by each node for itself.</summary>
    public int UnknownTokensPerCaller { get; set; } = 600;
}

/// <summary>Mails to people.</summary>
public sealed class MailOptions
{
    /// <summary>The sender: an address, or a name and an address such as Example &lt;no-reply@example.com&gt;. Default: no-reply at the issuer's host.</summary>
    public string? From { get; set; }

    /// <summary>The SMTP server that sends mails. Without one they are written into PickupFolder.</summary>
    public string? SmtpHost { get; set; }

    /// <summary>The server's port for plain SMTP with STARTTLS; TLS from the first byte (port 465) is not supported.</summary>
    public int SmtpPort { get; set; } = 587;

    /// <summary>Whether the connection must become TLS (STARTTLS). Off only for a relay that is on this machine or in a network that you trust.</summary>
    public bool SmtpStartTls { get; set; } = true;

    /// <summary>The name to sign in with at the SMTP server, if it wants one.</summary>
    public string? SmtpUser { get; set; }

    /// <summary>The password to sign in with at the SMTP server. Secret.</summary>
    public string? SmtpPassword { get; set; }

    /// <summary>The folder into which mails are written when there is no SmtpHost, one .eml file each. Default: mail in the data folder.</summary>
    public string? PickupFolder { get; set; }
}

/// <summary>The removal of rows that have expired: grants, sessions, revocations, counters, and events if you wish.</summary>
public sealed class RetentionOptions
{
    /// <summary>Milliseconds of each second, 1 to 1000, that may be spent on it. More removes faster and is in the way of others more.</summary>
    public int BudgetMilliseconds { get; set; } = 100;

    /// <summary>Days, at least 30, after which sealed events of the audit are removed: export them before. Default: they are kept for ever.</summary>
    public int? AuditDays { get; set; }
}

/// <summary>The listener.</summary>
public sealed class HttpOptions
{
    /// <summary>Host names besides the issuer's that requests may name, separated by spaces.</summary>
    public string AllowedHosts { get; set; } = "";

    /// <summary>A PEM file with the certificate chain for https.</summary>
    public string? TlsCertificate { get; set; }

    /// <summary>A PEM file with the certificate's private key.</summary>
    public string? TlsKey { get; set; }

    /// <summary>Unsafe: lets the server call registered addresses (back-channel sign-out) that are on this machine or in a private network. Link-local ones stay refused.</summary>
    public bool AllowPrivateTargets { get; set; }

    /// <summary>Addresses of proxies whose X-Forwarded-For is believed, separated by spaces.</summary>
    public string TrustedProxies { get; set; } = "";
}

/// <summary>Figures for Prometheus.</summary>
public sealed class MetricsOptions
{
    /// <summary>Addresses of their own to serve /metrics on, separated by semicolons, such as http://127.0.0.1:9464; nothing else is served there, and /metrics nowhere else. Whoever reaches them may read, so keep them inside. Default: none, and nothing is measured.</summary>
    public string Urls { get; set; } = "";
}

/// <summary>Traces and metrics for an OpenTelemetry collector.</summary>
public sealed class TelemetryOptions
{
    /// <summary>The collector's address, such as http://127.0.0.1:4318; /v1/traces and /v1/metrics are added for http/protobuf. Default: none, and nothing is sent.</summary>
    public string? OtlpEndpoint { get; set; }

    /// <summary>How it is spoken to: http/protobuf or grpc.</summary>
    public string OtlpProtocol { get; set; } = "http/protobuf";

    /// <summary>Headers for the collector, as name=value, separated by commas. Secret.</summary>
    public string? OtlpHeaders { get; set; }

    /// <summary>How many of a hundred requests are traced, by trace id; what a caller wishes in its traceparent does not count. 0 sends metrics only.</summary>
    public int TracesPercent { get; set; } = 100;
}
