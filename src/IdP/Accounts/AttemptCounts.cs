using System.Security.Cryptography;
using System.Text;
using IdP.Keys;
using IdP.Storage;
using Microsoft.EntityFrameworkCore;

namespace IdP.Accounts;

/// <summary>Counts that every node and every start knows: how often something was done or tried within a window.</summary>
internal sealed class AttemptCounts(PreparedStatements statements, KeyRing keys, IdpOptions options, TimeProvider clock)
{
    // One conditional update is the gate: of attempts at once, no more get through than are left.
    private const string TakeSql =
        """
        UPDATE "SignInAttempts" SET "Failures" = CASE WHEN "WindowEndsAt" <= @p1 THEN 1 ELSE "Failures" + 1 END, "WindowEndsAt" = CASE WHEN "WindowEndsAt" <= @p1 THEN @p2 ELSE "WindowEndsAt" END
        WHERE "Key" = @p0 AND ("Failures" < @p3 OR "WindowEndsAt" <= @p1)
        """;

    private const string FirstSql = """INSERT INTO "SignInAttempts" ("Key", "Failures", "WindowEndsAt") VALUES (@p0, 1, @p1) {if absent}""";

    private readonly string _first = statements.Text(FirstSql);

    /// <summary>A keyed hash: the table of counters shows neither names nor which of them exist.</summary>
    public byte[] Key(string subject) => HMACSHA256.HashData(keys.Symmetric(KeyPurpose.Hash).Secret, Encoding.UTF8.GetBytes(subject));

    /// <summary>Counts one more; false when there were as many as that in this window already.</summary>
    public async Task<bool> Take(byte[] key, int most, TimeSpan window, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var (at, ends) = (now.ToUnixTimeMilliseconds(), (now + window).ToUnixTimeMilliseconds());
        object[] take = [key, at, ends, most];
        if (await statements.Execute(TakeSql, take, ct) == 1) return true;
        if (await First(key, ends, ct)) return true;
        // The row may have come from another attempt meanwhile; it counts only if it is full.
        return await statements.Execute(TakeSql, take, ct) == 1;
    }

    /// <summary>Counts the first of a window that ends at that millisecond; false when there is a count already.</summary>
    public async Task<bool> First(byte[] key, long ends, CancellationToken ct) => await statements.AddIfAbsent(_first, [key, ends], ct) == 1;

    /// <summary>Counts a guess at a password or code; false when the account is locked for whoever this is.</summary>
    public Task<bool> TakeGuess(byte[] key, CancellationToken ct) => Take(key, options.Passwords.LockoutAttempts, TimeSpan.FromSeconds(options.Passwords.LockoutSeconds), ct);

    private const string ReturnSql = """UPDATE "SignInAttempts" SET "Failures" = "Failures" - 1 WHERE "Key" = @p0 AND "Failures" > 0""";

    /// <summary>The same as <see cref="Return(IdpDbContext, byte[], CancellationToken)"/>, for changes that are statements themselves.</summary>
    public static Statement Return(byte[] key) => new(ReturnSql, [key]);

    /// <summary>Takes one off again that was right, in the transaction of what it was right for.</summary>
    public static Task<int> Return(IdpDbContext db, byte[] key, CancellationToken ct) =>
        db.Set<SignInAttempts>().Where(a => a.Key == key && a.Failures > 0).ExecuteUpdateAsync(set => set.SetProperty(a => a.Failures, a => a.Failures - 1), ct);
}
