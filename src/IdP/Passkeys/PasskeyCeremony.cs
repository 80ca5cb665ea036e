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
/// <param name="IsUserVerified">Whether the authenticator has made sure who holds it: then it counts for two factors.</param>
internal sealed record PasskeyProof(User User, Passkey Passkey, bool IsUserVerified)
{
    /// <summary>
    /// RFC 8176 §2: presence is always tested. Nobody vouches for where the key is kept, but one that may be copied is kept by software.
    /// </summary>
    public string Methods => $"{(Passkey.IsBackupEligible ? "swk" : "hwk")} user{(IsUserVerified ? " mfa" : "")}";
}

/// <summary>
/// Questions to passkeys and the answers (WebAuthn §7). ASP.NET Core's handler reads and verifies; what it leaves to the application is
/// here: exact origins, what may be registered, single use, the counter, one answer for every refusal.
/// </summary>
internal sealed class PasskeyCeremony(RelyingParty party, PasskeyChallenges challenges, PasskeyStatements statements, FailureLimiter limiter)
{
    // WebAuthn §6.1: the flags are behind the hash of the relying party's id.
    private const int FlagsAt = 32;
    private const int UserVerified = 0x04;

    // What an unknown passkey is compared with, so that it costs what a known one does.
    private static readonly ECDsa Decoy = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private static readonly byte[] DecoySignature = Decoy.SignData(Array.Empty<byte>(), HashAlgorithmName.SHA256);

    /// <summary>The options that a page gives to the browser.</summary>
    public async Task<string> Begin(HttpContext http, PasskeyPurpose purpose, User? user, CancellationToken ct)
    {
        var known = user is null ? [] : (await statements.Of(user.Id, ct)).Select(PasskeyAccount.Info).ToList();
        using var accounts = new PasskeyAccount(user, known).Manager();
        var handler = Handler(accounts, purpose);
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
        var result = await Handler(accounts, PasskeyPurpose.Register).PerformAttestationAsync(new PasskeyAttestationContext { HttpContext = http, CredentialJson = credentialJson!, AttestationState = state });
        return result.Succeeded ? result.Passkey : Refused(RequestFacts.Of(http).Detail ?? Reason(result.Failure));
    }

    /// <summary>Who has answered. Wrong, unknown and somebody else's passkeys are refused in the same words.</summary>
    /// <param name="http">The request.</param>
    /// <param name="purpose">What the passkey was asked for.</param>
    /// <param name="expected">Who must have answered; null for anybody.</param>
    /// <param name="credentialJson">What the browser gave the page.</param>
    /// <param name="ct">Cancels, until the challenge is used up.</param>
    public async Task<Result<PasskeyProof>> Prove(HttpContext http, PasskeyPurpose purpose, User? expected, string? credentialJson, CancellationToken ct)
    {
        var facts = RequestFacts.Of(http);
        if (limiter.Blocked("passkey", "", facts.Address) is { } seconds) return OAuthError.TooManyFailures(seconds);
        if (await challenges.Take(http, purpose, expected?.Id, credentialJson, ct) is not { } state) return Refused("no challenge for this answer");
        ct = CancellationToken.None;
        var found = CredentialId(credentialJson!) is { } id ? await statements.Find(id, ct) : null;
        if (found is not var (passkey, user))
        {
            Decoy.VerifyData(Array.Empty<byte>(), DecoySignature, HashAlgorithmName.SHA256);
            return await Fail(null, "unknown passkey");
        }
        using var accounts = new PasskeyAccount(user, [PasskeyAccount.Info(passkey)]).Manager();
        var result = await Handler(accounts, purpose).PerformAssertionAsync(new PasskeyAssertionContext { HttpContext = http, CredentialJson = credentialJson!, AssertionState = state });
        if (!result.Succeeded) return await Fail(user, facts.Detail ?? Reason(result.Failure));
        if (user.DisabledAt is not null) return await Fail(user, "disabled user");
        // WebAuthn §6.1.1: a counter that does not go up means that there is a second one of something that cannot be copied.
        if (!await statements.Used(passkey, result.Passkey, ct))
        {
            await statements.RecordCopy(user, passkey, result.Passkey.SignCount, facts, ct);
            return Refused("the counter did not go up");
        }
        return new PasskeyProof(user, passkey, IsVerified(credentialJson!));

        async Task<OAuthError> Fail(User? whose, string reason)
        {
            limiter.Failed("passkey", "", facts.Address);
            await statements.RecordFailure(whose, reason, facts, ct);
            return Refused(reason);
        }
    }

    private PasskeyHandler<User> Handler(UserManager<User> accounts, PasskeyPurpose purpose) => new(accounts, Options.Create(new IdentityPasskeyOptions
    {
        ServerDomain = party.Id,
        AuthenticatorTimeout = PasskeyChallenges.Life,
        // Alone it stands for a password and more; beside a password it need not know who holds it.
        UserVerificationRequirement = purpose == PasskeyPurpose.SecondFactor ? "preferred" : "required",
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

    private static byte[]? CredentialId(string credentialJson) => Read(credentialJson, credential => credential.GetProperty("id"));

    // Signed, and looked at by the handler before.
    private static bool IsVerified(string credentialJson) => (Read(credentialJson, credential => credential.GetProperty("response").GetProperty("authenticatorData"))![FlagsAt] & UserVerified) != 0;

    private static byte[]? Read(string credentialJson, Func<JsonElement, JsonElement> member)
    {
        using var credential = JsonDocument.Parse(credentialJson);
        try
        {
            return CanonicalBase64Url.TryDecode(member(credential.RootElement).GetString(), out var bytes) ? bytes : null;
        }
        catch (Exception failure) when (failure is KeyNotFoundException or InvalidOperationException)
        {
            return null;
        }
    }
}
