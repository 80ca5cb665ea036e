using System.Security.Cryptography;
using IdP.Accounts;
using IdP.Protocol.Jose;

namespace IdP.Account;

/// <summary>A form that makes something which is shown once: sent again, as a browser does that loads the page anew, it makes nothing more.</summary>
internal sealed class OnceForm(AttemptCounts counts)
{
    public const string Field = "once";
    private const int Bytes = 16;
    private static readonly TimeSpan Remembered = TimeSpan.FromHours(12);

    /// <summary>What a new form carries.</summary>
    public static string Value() => CanonicalBase64Url.Encode(RandomNumberGenerator.GetBytes(Bytes));

    /// <summary>Whether the form is sent for the first time. One without the field is none of ours.</summary>
    public async Task<bool> IsFirst(Guid userId, string? value) =>
        CanonicalBase64Url.TryDecode(value, out var bytes) && bytes.Length == Bytes && await counts.Take(counts.Key($"form of {userId:N}: {value}"), 1, Remembered, CancellationToken.None);
}
