using System.Text;

namespace IdP.Accounts;

/// <summary>Why a password cannot be had. Pages have a text for each, Password.(name).</summary>
internal enum PasswordProblem
{
    Length,
    NotTypable,

    /// <summary>It is little more than the owner's name or address.</summary>
    Personal,
    Common,
    Breached,
}

/// <summary>Which passwords one may have. NIST SP 800-63B-4 §3.1.1.2: length is what counts; no rules of composition, no list that guessers have.</summary>
internal sealed class PasswordRules(BreachedPasswords breached)
{
    public const int Shortest = 8;
    public const int Longest = 256;

    // What a name leaves over is too little to guess if it has fewer characters than this; names shorter than that occur in words by chance.
    private const int LeastBesideName = 4;
    private const int ShortestName = 3;

    public PasswordProblem? Problem(string password, string userName, string? email)
    {
        if (IsTooLong(password) || password.EnumerateRunes().Count() < Shortest) return PasswordProblem.Length;
        // A form cannot carry half a code point, and nobody can type a line break.
        if (password.EnumerateRunes().Any(rune => rune == Rune.ReplacementChar || Rune.IsControl(rune))) return PasswordProblem.NotTypable;
        if (IsPersonal(password, email is null ? [userName] : [userName, email, email.Split('@')[0]])) return PasswordProblem.Personal;
        if (password.EnumerateRunes().Distinct().Count() == 1 || CommonPasswords.Contain(password)) return PasswordProblem.Common;
        return breached.Contain(password) ? PasswordProblem.Breached : null;
    }

    /// <summary>Whether it is longer than any password that is kept: code points count, in which no character of a keyboard is two.</summary>
    public static bool IsTooLong(string password) => password.Length > 2 * Longest || password.EnumerateRunes().Count() > Longest;

    public static string Sentence(PasswordProblem problem) => problem switch
    {
        PasswordProblem.Length => $"A password has {Shortest} to {Longest} characters: choose another.",
        PasswordProblem.NotTypable => "The password has control characters or broken text: choose one that can be typed.",
        PasswordProblem.Personal => "The password is little more than the user name or e-mail address: choose one that nobody guesses from them.",
        PasswordProblem.Common => "The password is among those that are guessed first: choose one that is not a common password or a single word.",
        _ => "The password is known from a breach of other sites: choose one that is used nowhere else.",
    };

    private static bool IsPersonal(string password, IEnumerable<string> names)
    {
        // The longest first: what is left of an address when the name in it is gone would be kept otherwise.
        var rest = names.Where(name => name.Length >= ShortestName).OrderByDescending(name => name.Length)
            .Aggregate(password, (left, name) => left.Replace(name, "", StringComparison.OrdinalIgnoreCase));
        return rest.Length < password.Length && rest.EnumerateRunes().Count() < LeastBesideName;
    }
}
