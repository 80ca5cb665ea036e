using IdP.Storage;

namespace IdP.Accounts;

/// <summary>A new password that keeps the rules, already hashed: hashing is too slow for the transaction that stores it.</summary>
internal sealed class HashedPassword
{
    private HashedPassword(string value) => Value = value;

    public string Value { get; }

    /// <param name="pool">Computes the hash.</param>
    /// <param name="rules">What is asked of a password.</param>
    /// <param name="password">The password.</param>
    /// <param name="owner">Whose it is to be: a password must not be their name or address.</param>
    public static async Task<HashedPassword> Make(HashPool pool, PasswordRules rules, string password, User owner)
    {
        if (rules.Problem(password, owner.UserName!, owner.Email) is { } problem) throw ChangeRefusedException.Invalid(PasswordRules.Sentence(problem));
        return new HashedPassword(await pool.Hash(password));
    }

    /// <summary>A hash that another system made, whose password nobody here knows; null when its format is none that can be checked.</summary>
    public static HashedPassword? Imported(string hash) => StoredHash.Read(hash) is null ? null : new HashedPassword(hash);
}
