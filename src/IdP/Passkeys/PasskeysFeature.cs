using System.Text.Json;
using IdP.Discovery;

namespace IdP.Passkeys;

/// <summary>
/// Owns passkeys (WebAuthn Level 3). A page's script asks for a question (<see cref="PasskeyCeremony.Begin"/>) and posts the browser's answer
/// like any form; <see cref="PasskeyChallenges"/> lets each question be answered once, in the browser that was asked, for what it was asked.
/// ASP.NET Core's handler verifies answers, <see cref="RelyingParty"/> says whose pages may ask, <see cref="NewPasskeyRules"/> what may be
/// registered, <see cref="PasskeyStatements"/> keeps passkeys and their counters. Pages: /account/passkeys, the offer after a sign-in by
/// password, and /sign-in/passkey, which the sign-in page posts to.
/// </summary>
internal static class PasskeysFeature
{
    public static void AddPasskeys(this IServiceCollection services)
    {
        services.AddSingleton<RelyingParty>();
        services.AddSingleton<PasskeyChallenges>();
        services.AddSingleton<PasskeyStatements>();
        services.AddSingleton<PasskeyCeremony>();
        services.AddSingleton<PasskeyOffer>();
        services.AddSingleton<PasskeyScript>();
    }

    public static void MapPasskeys(this WebApplication app)
    {
        var (party, script) = (app.Services.GetRequiredService<RelyingParty>(), app.Services.GetRequiredService<PasskeyScript>());
        app.MapGet(script.Path, (RequestDelegate)script.Respond);
        Publish("/.well-known/passkey-endpoints", party.WriteEndpoints);
        // WebAuthn §5.11.1: without other origins there is no such document.
        if (party.RelatedOrigins.Count > 0) Publish("/.well-known/webauthn", party.WriteRelatedOrigins);

        void Publish(string path, Action<Utf8JsonWriter> content) =>
            app.MapMethods(path, ["GET", "HEAD"], (RequestDelegate)new PublishedDocument(() => true, content).Respond);
    }
}
