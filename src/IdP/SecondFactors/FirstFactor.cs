using System.Security.Cryptography;
using System.Text;
using IdP.Accounts;
using IdP.Sessions;
using IdP.Upstream;

namespace IdP.SecondFactors;

/// <summary>
/// Somebody has proved a first factor and owes a second one. It travels sealed with the interaction, so that there is no session, nor a
/// row, that anything could mistake for a sign-in; it ends with ten minutes, a new password or a disabled account.
/// </summary>
internal sealed record FirstFactor
{
    public static readonly TimeSpan Life = TimeSpan.FromMinutes(10);

    public required Guid UserId { get; init; }

    /// <summary>The account as it was: see <see cref="StampOf"/>.</summary>
    public required string Stamp { get; init; }
    public required string Acr { get; init; }
    public required string Amr { get; init; }
    public required long ProvedAt { get; init; }

    /// <summary>When it was proved elsewhere, if that was earlier.</summary>
    public long? AuthenticatedAt { get; init; }
    public long? UpstreamProviderId { get; init; }

    /// <summary>The account elsewhere that is connected once the whole proof is there.</summary>
    public PendingLink? Link { get; init; }

    /// <summary>No lower bound: the node that sealed it may be a little ahead of this one.</summary>
    public bool IsYoung(DateTimeOffset now) => now.ToUnixTimeMilliseconds() - ProvedAt < Life.TotalMilliseconds;

    public static FirstFactor Of(SignInProof proof, PendingLink? link, DateTimeOffset now) => new()
    {
        UserId = proof.Person.User.Id,
        Stamp = StampOf(proof.Person.User),
        Acr = proof.Acr,
        Amr = proof.Amr,
        ProvedAt = now.ToUnixTimeMilliseconds(),
        AuthenticatedAt = proof.At?.ToUnixTimeMilliseconds(),
        UpstreamProviderId = proof.UpstreamProviderId,
        Link = link,
    };

    /// <summary>Changes with the password and whatever else ends what was proved before.</summary>
    public static string StampOf(User user) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(user.SecurityStamp ?? "")).AsSpan(0, 16));
}
