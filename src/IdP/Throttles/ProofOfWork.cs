using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;
using IdP.Accounts;
using IdP.Ui;

namespace IdP.Throttles;

/// <summary>What a form asks of the browser that sends it.</summary>
/// <param name="Challenge">Sealed for this browser and this form.</param>
/// <param name="Bits">How many leading bits of SHA-256 over challenge, full stop and answer must be nought.</param>
/// <param name="WaitSeconds">How long a browser without our script waits instead; null where something else says so.</param>
internal sealed record WorkToDo(string Challenge, int Bits, int? WaitSeconds);

/// <summary>What a form has brought.</summary>
internal readonly record struct SentWork(string? Challenge, string? Answer)
{
    public bool HasAnswer => !string.IsNullOrEmpty(Answer);
}

/// <summary>
/// Some work for the browser in place of a puzzle for its owner: whoever sends one form does not notice, whoever sends thousands pays for each.
/// A challenge is nothing that is stored; the first use of an answer is one conditional row, and checking it is one hash. It is off unless
/// the operator says how much.
/// </summary>
internal sealed class ProofOfWork(BrowserSeal seal, AttemptCounts counts, IdpOptions options, TimeProvider clock)
{
    public const string ChallengeField = "work", AnswerField = "work_answer";
    public static readonly TimeSpan Life = TimeSpan.FromMinutes(10);
    public static readonly TimeSpan Wait = TimeSpan.FromSeconds(30);
    private const int LongestAnswer = 16;

    public bool IsOn => options.Limits.ProofOfWorkBits > 0;

    /// <summary>For a form whose sender may wait instead; null when it is off.</summary>
    public WorkToDo? Ask(HttpContext http, string form, SentWork sent = default) => Ask(http, form, sent, (int)Wait.TotalSeconds);

    /// <summary>For a form whose sender has something to wait for already.</summary>
    public WorkToDo? AskInstead(HttpContext http, string form) => Ask(http, form, sent: default, waitSeconds: null);

    /// <summary>Whether the form that was sent has done its work, or, where it may, has waited. Once.</summary>
    public async Task<bool> IsDone(HttpContext http, string form, SentWork sent, bool mayWait)
    {
        if (!IsOn) return true;
        if (Open(http, form, sent.Challenge) is not { } asked) return false;
        var isDone = sent.HasAnswer ? sent.Answer!.Length <= LongestAnswer && IsAnswer(sent.Challenge!, sent.Answer, asked.Bits) : mayWait && clock.GetUtcNow() - asked.At >= Wait;
        return isDone && await counts.Take(counts.Key($"work {sent.Challenge}"), 1, Life, CancellationToken.None);
    }

    /// <summary>One hash.</summary>
    public static bool IsAnswer(string challenge, string answer, int bits)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes($"{challenge}.{answer}"), hash);
        return BitOperations.LeadingZeroCount(BinaryPrimitives.ReadUInt64BigEndian(hash)) >= bits;
    }

    private WorkToDo? Ask(HttpContext http, string form, SentWork sent, int? waitSeconds)
    {
        if (!IsOn) return null;
        // Whoever waits goes on waiting: a page that is shown again begins nothing anew.
        if (!sent.HasAnswer && Open(http, form, sent.Challenge) is { } open && clock.GetUtcNow() - open.At < Wait) return new WorkToDo(sent.Challenge!, open.Bits, waitSeconds);
        var content = new byte[17];
        RandomNumberGenerator.Fill(content.AsSpan(0, 8));
        BinaryPrimitives.WriteInt64BigEndian(content.AsSpan(8), clock.GetUtcNow().ToUnixTimeMilliseconds());
        content[16] = (byte)options.Limits.ProofOfWorkBits;
        return new WorkToDo(seal.Seal(http, Use(form), content), content[16], waitSeconds);
    }

    private (DateTimeOffset At, int Bits)? Open(HttpContext http, string form, string? challenge)
    {
        if (seal.Open(http, Use(form), challenge) is not { Length: 17 } content) return null;
        var at = DateTimeOffset.FromUnixTimeMilliseconds(BinaryPrimitives.ReadInt64BigEndian(content.AsSpan(8)));
        return clock.GetUtcNow() - at is var age && age >= TimeSpan.Zero && age < Life ? (at, content[16]) : null;
    }

    private static string Use(string form) => $"idp proof of work {form}";
}

/// <summary>The script that does the work.</summary>
internal sealed class WorkScript() : PageFile(PageAddresses.WorkScript, "IdP.Throttles.work.js", "text/javascript; charset=utf-8");
