using System.Security.Cryptography;
using System.Text.Json;
using IdP.Accounts;
using IdP.Http;
using IdP.Protocol.Jose;
using IdP.Protocol.OAuth;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace IdP.Passkeys;

/// <summary>Somebody has answered with a passkey of theirs.</summary>
/// <param name="User">Who.</param>
/// <param name="Passkey">With what, as it was before.</param>
internal sealed record PasskeyProof(User User, Passkey Passkey)
{
    /// <summary>
    /// RFC 8176 §2: the person was there and was verified, so that it counts for two factors. Nobody vouches for where the key is kept, but
    /// one that may be copied is kept by software.
    /// </summary>
    public string Methods => $"{(Passkey.IsBackupEligible ? "swk" : "hwk")} user mfa";

    /// <summary>Whether these methods of a session tell of a passkey.</summary>
    public static bool IsIn(string amr) => amr.Split(' ').Any(method => method is "hwk" or "swk");
}

/// <summary>
/// Questions to passkeys and the answers (WebAuthn §7). ASP.NET Core's handler reads and verifies; what it leaves to the application is
/// here: exact origins, what may be registered, single use, the counter, one answer for every refusal.
/// </summary>
internal sealed class PasskeyCeremony(RelyingParty party, PasskeyChallenges challenges, PasskeyStatements statements, FailureLimiter limiter)
{
    // What an unknown passkey is compared with, so that it costs what a known one does.
    private static readonly ECDsa Decoy = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private static readonly byte[] DecoySignature = Decoy.SignData(Array.Empty<byte>(), HashAlgorithmName.SHA256);

    /// <summary>The options that a page gives to the browser.</summary>
    public async Task<string> Begin(HttpContext http, PasskeyPurpose purpose, User? user, CancellationToken ct)
    {
        var known = user is null ? [] : (await statements.Of(user.Id, ct)).Select(PasskeyAccount.Info).ToList();
        using var accounts = new PasskeyAccount(user, known).Manager();
        var handler = Handler(accounts);
        string options, state;
        if (purpose == PasskeyPurpose.Register)
        {
            var name = user!.UserName!;
            var made = await handler.MakeCreationOptionsAsync(new PasskeyUserEntity { Id = user.Subject, Name = name, DisplayName = user.Name ?? name }, http);
            (options, state) = (made.CreationOptionsJson, made.AttestationState!);
        }
        else
        {
            var made = await handler.MakeRequestOptionsAsync(user, http);
            (options, state) = (made.RequestOptionsJson, made.AssertionState!);
        }
        await challenges.Add(http, purpose, user?.Id, options, state, ct);
        return options;
    }

    /// <summary>A new passkey, checked but not kept yet.</summary>
    public async Task<Result<UserPasskeyInfo>> Register(HttpContext http, User user, string? credentialJson, CancellationToken ct)
    {
        if (await challenges.Take(http, PasskeyPurpose.Register, user.Id, credentialJson, ct) is not { } state) return Refused("no challenge for this answer");
        using var accounts = new PasskeyAccount(user, []).Manager();
        var result = await Handler(accounts).PerformAttestationAsync(new PasskeyAttestationContext { HttpContext = http, CredentialJson = credentialJson!, AttestationState = state });
        return result.Succeeded ? result.Passkey : Refused(RequestFacts.Of(http).Detail ?? Reason(result.Failure));
    }

    /// <summary>Who has answered. Wrong, unknown and somebody else's passkeys are refused in the same words.</summary>
    /// <param name="http">The request.</param>
    /// <param name="credentialJson">What the browser gave the page.</param>
    /// <param name="ct">Cancels, until the challenge is used up.</param>
    public async Task<Result<PasskeyProof>> Prove(HttpContext http, string? credentialJson, CancellationToken ct)
    {
        var facts = RequestFacts.Of(http);
        var id = credentialJson is null ? null : CredentialId(credentialJson);
        var caller = id is null ? "" : Convert.ToHexStringLower(SHA256.HashData(id));
        if (limiter.Blocked("passkey", caller, facts.Address) is { } seconds) return OAuthError.TooManyFailures(seconds);
        if (await challenges.Take(http, PasskeyPurpose.SignIn, userId: null, credentialJson, ct) is not { } state) return Refused("no challenge for this answer");
        ct = CancellationToken.None;
        var found = id is null ? null : await statements.Find(id, ct);
        if (found is not var (passkey, user))
        {
            Decoy.VerifyData(Array.Empty<byte>(), DecoySignature, HashAlgorithmName.SHA256);
            return await Fail(null, "unknown passkey");
        }
        using var accounts = new PasskeyAccount(user, [PasskeyAccount.Info(passkey)]).Manager();
        var result = await Handler(accounts).PerformAssertionAsync(new PasskeyAssertionContext { HttpContext = http, CredentialJson = credentialJson!, AssertionState = state });
        if (!result.Succeeded) return await Fail(user, facts.Detail ?? Reason(result.Failure));
        if (user.DisabledAt is not null) return await Fail(user, "disabled user");
        // WebAuthn §6.1.1: a counter that does not go up means that there is a second one of something that cannot be copied.
        if (!await statements.Used(passkey, result.Passkey, ct))
        {
            await statements.RecordCopy(user, passkey, result.Passkey.SignCount, facts, ct);
            return Refused("the counter did not go up");
        }
        limiter.Succeeded("passkey", caller, facts.Address);
        return new PasskeyProof(user, passkey);

        async Task<OAuthError> Fail(User? whose, string reason)
        {
            limiter.Failed("passkey", caller, facts.Address);
            await statements.RecordFailure(whose, reason, facts, ct);
            return Refused(reason);
        }
    }

    private PasskeyHandler<User> Handler(UserManager<User> accounts) => new(accounts, Options.Create(new IdentityPasskeyOptions
    {
        ServerDomain = party.Id,
        AuthenticatorTimeout = PasskeyChallenges.Life,
        // Alone it stands for a password and more: it must know who holds it.
        UserVerificationRequirement = "required",
        // Found without a name being typed, which is what autofill needs.
        ResidentKeyRequirement = "required",
        AttestationConveyancePreference = "none",
        IsAllowedAlgorithm = NewPasskeyRules.IsOffered,
        ValidateOrigin = context => ValueTask.FromResult(party.Accepts(context.Origin, context.CrossOrigin, context.TopOrigin)),
        VerifyAttestationStatement = context =>
        {
            if (NewPasskeyRules.Problem(context.AttestationObject, context.ClientDataHash) is not { } problem) return ValueTask.FromResult(true);
            RequestFacts.Of(context.HttpContext).Detail = problem;
            return ValueTask.FromResult(false);
        },
    }));

    private static OAuthError Refused(string reason) => OAuthError.InvalidGrant("the passkey was not accepted", reason);

    // The framework's words; they may quote what the browser has sent.
    private static string Reason(PasskeyException failure) => failure.InnerException is null ? RequestBoundary.Loggable(failure.Message)! : "malformed answer";

    private static byte[]? CredentialId(string credentialJson)
    {
        try
        {
            using var credential = JsonDocument.Parse(credentialJson);
            return CanonicalBase64Url.TryDecode(credential.RootElement.GetProperty("id").GetString(), out var id) ? id : null;
        }
        catch (Exception failure) when (failure is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return null;
        }
    }
}
