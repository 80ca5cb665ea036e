namespace IdP.Protocol.OAuth;

/// <summary>Names on the wire that more than one place needs.</summary>
internal static class GrantNames
{
    public const string AuthorizationCode = "authorization_code";
    public const string ClientCredentials = "client_credentials";
    public const string Password = "password";
    public const string RefreshToken = "refresh_token";

    /// <summary>What a client may be given: the names of the registered grants, for those that run without a server.</summary>
    public static IReadOnlyList<string> All { get; } = [AuthorizationCode, ClientCredentials, Password, RefreshToken];
}

internal static class AuthenticationMethodNames
{
    public const string Basic = "client_secret_basic";
    public const string Post = "client_secret_post";
    public const string None = "none";
}
