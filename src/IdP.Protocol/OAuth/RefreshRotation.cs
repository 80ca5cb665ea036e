namespace IdP.Protocol.OAuth;

internal enum RefreshStep
{
    /// <summary>The newest token of a client that rotates: the next generation takes its place.</summary>
    Rotate,

    /// <summary>The newest token of a client that keeps it: only its last use is noted.</summary>
    Keep,

    /// <summary>The token before, while answers may have been lost: the newest token is given once more.</summary>
    GiveAgain,

    /// <summary>The token before, still within the overlap but too often: refused, and nothing is revoked.</summary>
    TooOften,

    /// <summary>A token that was replaced is used: someone else has it too, so the grant ends (RFC 9700 §4.14.2).</summary>
    Reused,

    /// <summary>A token that this database has not made yet: it was restored from a backup. Refused, and nothing is revoked.</summary>
    FromTheFuture,
}

/// <summary>What happens to a refresh token that is presented. Pure.</summary>
internal static class RefreshRotation
{
    /// <summary>How often one token is answered within the overlap, the first time included.</summary>
    public const int MostUses = 3;

    /// <param name="presented">The generation of the presented token.</param>
    /// <param name="newest">The generation that the grant is at.</param>
    /// <param name="rotates">Whether this client's refresh tokens are replaced at each use.</param>
    /// <param name="sinceRotation">The time since the newest generation was made.</param>
    /// <param name="overlap">How long the token before still works; zero is strict.</param>
    /// <param name="retries">How often it was given again since.</param>
    public static RefreshStep Decide(int presented, int newest, bool rotates, TimeSpan sinceRotation, TimeSpan overlap, int retries)
    {
        if (presented > newest) return RefreshStep.FromTheFuture;
        if (presented == newest) return rotates ? RefreshStep.Rotate : RefreshStep.Keep;
        // Without an overlap none, however two nodes' clocks differ: the time since may be negative.
        if (presented < newest - 1 || overlap <= TimeSpan.Zero || sinceRotation >= overlap) return RefreshStep.Reused;
        return retries < MostUses - 1 ? RefreshStep.GiveAgain : RefreshStep.TooOften;
    }
}
