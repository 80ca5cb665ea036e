namespace IdP.Protocol.OpenId;

/// <summary>How strongly a person proved who they are: values of <c>acr</c> and, per RFC 8176, of <c>amr</c>.</summary>
internal static class Acr
{
    /// <summary>A password alone.</summary>
    public const string Password = "urn:idp:acr:password";

    /// <summary>Two factors, proved here.</summary>
    public const string MultiFactor = "urn:idp:acr:mfa";

    /// <summary>Another provider says so, in whatever way it found out.</summary>
    public const string Upstream = "urn:idp:acr:upstream";

    /// <summary>From weak to strong; discovery lists them.</summary>
    public static readonly IReadOnlyList<string> All = [Upstream, Password, MultiFactor];

    /// <summary>RFC 8176 §2: a password.</summary>
    public const string PasswordMethod = "pwd";

    /// <summary>Federated; RFC 8176 has no value for it, and this one is what others use.</summary>
    public const string UpstreamMethod = "fed";

    /// <summary>RFC 8176 §2: a one-time password, and that there were several factors.</summary>
    public const string OneTimePasswordMethod = "otp";
    public const string MultiFactorMethod = "mfa";
}
