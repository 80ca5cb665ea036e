namespace IdP.Protocol.OAuth;

/// <summary>The parameter prompt (OpenID Connect Core §3.1.2.1).</summary>
[Flags]
internal enum Prompt
{
    Unspecified = 0,
    None = 1,
    Login = 2,
    Consent = 4,
    SelectAccount = 8,

    /// <summary>Initiating User Registration via OpenID Connect 1.0: the person wants to make an account.</summary>
    Create = 16,
}

internal static class Prompts
{
    public static readonly IReadOnlyList<string> All = ["none", "login", "consent", "select_account", "create"];

    public static Result<Prompt> Parse(string? text)
    {
        var prompt = Prompt.Unspecified;
        if (text is null) return prompt;
        foreach (var value in text.Split(' '))
        {
            switch (value)
            {
                case "none": prompt |= Prompt.None; break;
                case "login": prompt |= Prompt.Login; break;
                case "consent": prompt |= Prompt.Consent; break;
                case "create": prompt |= Prompt.Create; break;
                case "select_account": prompt |= Prompt.SelectAccount; break;
                default: return OAuthError.InvalidRequest($"prompt must be of: {string.Join(", ", All)}");
            }
        }
        return prompt.HasFlag(Prompt.None) && prompt != Prompt.None ? OAuthError.InvalidRequest("prompt none stands alone") : prompt;
    }
}
