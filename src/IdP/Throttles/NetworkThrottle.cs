using System.Net;
using IdP.Accounts;
using IdP.Http;
using IdP.Storage;

namespace IdP.Throttles;

/// <summary>Whose wrong passwords are counted: those of a network, or those of strangers to an account. So many are free within an hour.</summary>
internal readonly record struct Guesses(string Of, int Free)
{
    /// <summary>A name that no account has is counted like one, so that nothing tells them apart.</summary>
    public static Guesses ByStrangers(string account, IdpOptions options) => new($"guesses: {account}", options.Limits.WrongPasswordsPerAccount);

    /// <summary>A network may be a whole company.</summary>
    public static Guesses From(string address, IdpOptions options) => new($"network:{NetworkThrottle.Network(address)}", options.Limits.WrongPasswordsPerNetwork);
}

/// <summary>
/// Wrong passwords of one network, or of strangers to one account. So many are free within an hour; each one more makes whoever is not known
/// there wait, a second at first, twice as long each time, up to ten minutes, until an hour without a wrong one has passed.
/// </summary>
internal sealed class NetworkThrottle(PreparedStatements statements, AttemptCounts counts, IdpOptions options, TimeProvider clock)
{
    private static readonly TimeSpan Window = TimeSpan.FromHours(1);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(10);

    // "WindowEndsAt" is when the count is forgotten. Under the limit that is an hour after the first failure, from the limit on an hour after
    // the wait is over. Of failures at once, exactly one reaches the limit: the statement that counts it says so.
    private const string CountSql = """UPDATE "SignInAttempts" SET "Failures" = "Failures" + 1 WHERE "Key" = @p0 AND "WindowEndsAt" > @p1 AND "Failures" < @p2 - 1""";
    private const string ReachSql = """UPDATE "SignInAttempts" SET "Failures" = @p2, "WindowEndsAt" = @p3 WHERE "Key" = @p0 AND "WindowEndsAt" > @p1 AND "Failures" = @p2 - 1""";
    private const string ExceedSql = """UPDATE "SignInAttempts" SET "Failures" = "Failures" + 1, "WindowEndsAt" = @p3 WHERE "Key" = @p0 AND "WindowEndsAt" > @p1 AND "Failures" = @p2""";
    private const string RestartSql = """UPDATE "SignInAttempts" SET "Failures" = 1, "WindowEndsAt" = @p2 WHERE "Key" = @p0 AND "WindowEndsAt" <= @p1""";
    private const string FindSql = """SELECT "Failures", "WindowEndsAt" FROM "SignInAttempts" WHERE "Key" = @p0""";

    public ValueTask<int?> Blocked(string address, CancellationToken ct) => Blocked(Guesses.From(address, options), ct);

    public Task<bool> Failed(string address, CancellationToken ct) => Failed(Guesses.From(address, options), ct);

    /// <summary>Seconds that a stranger has to wait; null when there is nothing to wait for.</summary>
    public async ValueTask<int?> Blocked(Guesses guesses, CancellationToken ct)
    {
        var (failures, forgottenAt) = await Find(counts.Key(guesses.Of), ct);
        if (failures < guesses.Free) return null;
        var wait = forgottenAt - Window - clock.GetUtcNow();
        return wait > TimeSpan.Zero ? (int)Math.Ceiling(wait.TotalSeconds) : null;
    }

    /// <summary>Counts a wrong password; true for the one with which the limit is reached.</summary>
    public async Task<bool> Failed(Guesses guesses, CancellationToken ct)
    {
        var (key, now, limit) = (counts.Key(guesses.Of), clock.GetUtcNow(), guesses.Free);
        var (at, ends) = (now.ToUnixTimeMilliseconds(), (now + Window).ToUnixTimeMilliseconds());
        // Others may count at the same time: what one statement finds changed, the next look sees.
        for (var i = 0; i < 5; i++)
        {
            if (await statements.Execute(CountSql, [key, at, limit], ct) == 1) return false;
            if (await statements.Execute(ReachSql, [key, at, limit, Ends(limit)], ct) == 1) return true;
            var (failures, _) = await Find(key, ct);
            if (failures >= limit && await statements.Execute(ExceedSql, [key, at, failures, Ends(failures + 1)], ct) == 1) return false;
            if (await statements.Execute(RestartSql, [key, at, ends], ct) == 1 || await counts.First(key, ends, ct)) return limit == 1;
        }
        return false;

        long Ends(int failures) => (now + Delay(failures, limit) + Window).ToUnixTimeMilliseconds();
    }

    /// <summary>How long to wait after so many failures.</summary>
    public static TimeSpan Delay(int failures, int limit) =>
        failures < limit ? TimeSpan.Zero : TimeSpan.FromSeconds(Math.Min(Longest.TotalSeconds, Math.Pow(2, failures - limit)));

    /// <summary>The network of an address: see <see cref="CallerAddress"/>.</summary>
    public static string Network(string address) => IPAddress.TryParse(address, out var parsed) ? CallerAddress.Of(parsed) : address;

    private async ValueTask<(int Failures, DateTimeOffset ForgottenAt)> Find(byte[] key, CancellationToken ct) =>
        await statements.Read(FindSql, [key], row => (row.GetInt32(0), Instant.Read(row, 1)), ct);
}
