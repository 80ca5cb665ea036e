using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using IdP.Protocol.Jose;
using IdP.Storage;
using IdP.Ui;

namespace IdP.Passkeys;

/// <summary>What a passkey is asked for: an answer to one question answers no other.</summary>
internal enum PasskeyPurpose
{
    /// <summary>A new passkey for the account that is signed in.</summary>
    Register,

    /// <summary>A sign-in with the passkey alone, whoever's it is.</summary>
    SignIn,
}

/// <summary>
/// Challenges: rows of five minutes, named by their hash, with what the answer is checked by sealed for the browser, the purpose and the
/// person. One conditional DELETE decides who has answered.
/// </summary>
internal sealed class PasskeyChallenges(PreparedStatements statements, BrowserSeal seal, TimeProvider clock)
{
    public static readonly TimeSpan Life = TimeSpan.FromMinutes(5);

    /// <summary>The longest answer that is read.</summary>
    private const int LongestAnswer = 16 * 1024;

    private const string AddSql = """INSERT INTO "PasskeyChallenges" ("Hash", "Sealed", "ExpiresAt") VALUES (@p0, @p1, @p2)""";
    private const string ReadSql = """SELECT "Sealed" FROM "PasskeyChallenges" WHERE "Hash" = @p0 AND "ExpiresAt" > @p1""";
    private const string TakeSql = """DELETE FROM "PasskeyChallenges" WHERE "Hash" = @p0 AND "ExpiresAt" > @p1""";

    /// <param name="http">The request of the browser that is asked.</param>
    /// <param name="purpose">What for.</param>
    /// <param name="userId">Who is asked; null for anybody.</param>
    /// <param name="optionsJson">What the browser gets: the challenge is in it.</param>
    /// <param name="state">What the answer is checked by.</param>
    /// <param name="ct">Cancels.</param>
    public async Task Add(HttpContext http, PasskeyPurpose purpose, Guid? userId, string optionsJson, string state, CancellationToken ct)
    {
        using var options = JsonDocument.Parse(optionsJson);
        var hash = Hash(options.RootElement.GetProperty("challenge").GetString()!);
        await statements.Execute(AddSql, [hash, seal.Seal(http, Use(purpose, userId), Encoding.UTF8.GetBytes(state)), (clock.GetUtcNow() + Life).ToUnixTimeMilliseconds()], ct);
    }

    /// <summary>Takes up the challenge that an answer is for: once, in time, in this browser, for this purpose and person. Null otherwise.</summary>
    public async Task<string?> Take(HttpContext http, PasskeyPurpose purpose, Guid? userId, string? credentialJson, CancellationToken ct)
    {
        if (ChallengeOf(credentialJson) is not { } challenge) return null;
        object[] key = [Hash(challenge), clock.GetUtcNow().ToUnixTimeMilliseconds()];
        // Another browser's, or an answer to another question: nothing is used up.
        if (await statements.Read(ReadSql, key, row => row.GetString(0), ct) is not { } stored || seal.Open(http, Use(purpose, userId), stored) is not { } state) return null;
        return await statements.Execute(TakeSql, key, CancellationToken.None) == 1 ? Encoding.UTF8.GetString(state) : null;
    }

    // What the browser says that it has signed; whether it is so, the signature tells later.
    private static string? ChallengeOf(string? credentialJson)
    {
        if (credentialJson is null || credentialJson.Length > LongestAnswer) return null;
        try
        {
            using var credential = JsonDocument.Parse(credentialJson);
            if (!CanonicalBase64Url.TryDecode(credential.RootElement.GetProperty("response").GetProperty("clientDataJSON").GetString(), out var clientData)) return null;
            using var parsed = JsonDocument.Parse(clientData);
            return parsed.RootElement.GetProperty("challenge").GetString();
        }
        catch (Exception failure) when (failure is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return null;
        }
    }

    private static byte[] Hash(string challenge) => SHA256.HashData(Encoding.UTF8.GetBytes(challenge));

    private static string Use(PasskeyPurpose purpose, Guid? userId) => $"idp passkey {purpose} {userId:N}";
}
