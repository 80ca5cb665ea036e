namespace IdP.Protocol.OAuth;

/// <summary>Names on the wire that more than one place needs.</summary>
internal static class GrantNames
{
    public const string ClientCredentials = "client_credentials";
    public const string Password = "password";
}

internal static class AuthenticationMethodNames
{
    public const string Basic = "client_secret_basic";
    public const string Post = "client_secret_post";
    public const string None = "none";
}
