using IdP.Accounts;
using IdP.Authorize;
using IdP.Http;
using IdP.Upstream;

namespace IdP.Sessions;

/// <summary>What became of a proof: how the interaction goes on, or the text of what the person is told.</summary>
internal sealed record ProvedStep(Interaction? Next, string? Problem);

/// <summary>The one way from a proof of who somebody is to a session, whatever the proof was: no page begins a session by itself.</summary>
internal sealed class SignInSteps(BrowserSessions sessions, KnownDevices devices, UpstreamAccounts upstream)
{
    /// <summary>Signs in whoever has proved who they are, and connects the account of another provider that is to be theirs.</summary>
    public async Task<ProvedStep> Proved(HttpContext http, Interaction way, SignInProof proof, CancellationToken ct, PendingLink? link = null)
    {
        var current = await sessions.Find(http, ct);
        if (await sessions.Begin(http, proof, current, CancellationToken.None) is not { } session) return new(null, "SignIn.Wrong");
        devices.Remember(http, session.UserId);
        // Both are proved now: the account there a moment ago, the one here by this sign-in.
        if (link is not null && !await upstream.Link(link, session.UserId, CancellationToken.None)) return new(null, "SignIn.LinkTaken");
        RequestFacts.Of(http).Outcome = "signed_in";
        return new(way with { FreshSession = session.SessionId, FreshGeneration = session.Generation }, null);
    }
}
