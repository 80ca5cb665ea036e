namespace IdP.Protocol.OpenId;

/// <summary>How strongly a person proved who they are: values of <c>acr</c> and, per RFC 8176, of <c>amr</c>.</summary>
internal static class Acr
{
    /// <summary>A password alone.</summary>
    public const string Password = "urn:idp:acr:password";

    /// <summary>From weak to strong; discovery lists them.</summary>
    public static readonly IReadOnlyList<string> All = [Password];

    /// <summary>RFC 8176 §2: a password.</summary>
    public const string PasswordMethod = "pwd";
}
