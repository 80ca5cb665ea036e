using System.Text;
using IdP.Storage;

namespace IdP.Accounts;

/// <summary>A new password that keeps the rules, already hashed: hashing is too slow for the transaction that stores it.</summary>
internal sealed class HashedPassword
{
    // NIST SP 800-63B-4 §3.1.1.2: length is what counts; no rules of composition.
    public const int ShortestPassword = 8;

    private HashedPassword(string value) => Value = value;

    public string Value { get; }

    public static async Task<HashedPassword> Make(HashPool pool, string password)
    {
        if (Problem(password) is { } problem) throw ChangeRefusedException.Invalid(problem);
        return new HashedPassword(await pool.Hash(password));
    }

    private static string? Problem(string password)
    {
        if (password.Length > PasswordCheck.LongestPassword || password.EnumerateRunes().Count() < ShortestPassword)
            return $"A password has {ShortestPassword} to {PasswordCheck.LongestPassword} characters: choose another.";
        // A form cannot carry half a code point, and nobody can type a line break.
        return password.EnumerateRunes().Any(rune => rune == Rune.ReplacementChar || Rune.IsControl(rune))
            ? "The password has control characters or broken text: choose one that can be typed."
            : null;
    }
}
