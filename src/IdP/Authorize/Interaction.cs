using System.Text.Json;
using System.Text.Json.Serialization;
using IdP.SecondFactors;
using IdP.Ui;

namespace IdP.Authorize;

/// <summary>
/// An authorization request, or a page of ours that needs a sign-in, on its way through pages: it travels sealed in their addresses and forms,
/// bound to the browser by a cookie, for half an hour, and nothing is stored. What the person has done on the way is in it too, so that no step
/// can be skipped by leaving a parameter out.
/// </summary>
internal sealed record Interaction
{
    /// <summary>The parameters as they came; null for a pushed request.</summary>
    public string? Parameters { get; init; }
    public Guid? PushedId { get; init; }

    /// <summary>The page of ours that needs a sign-in; null when it is an app that asks.</summary>
    public string? ReturnTo { get; init; }

    /// <summary>How old a sign-in that page takes at most.</summary>
    public int? FreshWithinSeconds { get; init; }
    public long StartedAt { get; init; }

    /// <summary>A first factor that waits for the second.</summary>
    public FirstFactor? FirstFactor { get; init; }

    /// <summary>The session, and its generation, that a sign-in on the way began.</summary>
    public Guid? FreshSession { get; init; }
    public int FreshGeneration { get; init; }

    /// <summary>The person may be offered a passkey once they are signed in.</summary>
    public bool OffersPasskey { get; init; }

    /// <summary>The session whose account the person chose to go on with.</summary>
    public Guid? ChosenSession { get; init; }

    /// <summary>The session in which the person consented on the way.</summary>
    public Guid? ConsentSession { get; init; }

    /// <summary>The person pressed Cancel or Deny.</summary>
    public bool IsRefused { get; init; }
}

/// <summary>Seals interactions and opens them again.</summary>
internal sealed class Interactions(BrowserSeal seal, TimeProvider clock)
{
    public static readonly TimeSpan Life = TimeSpan.FromMinutes(30);

    /// <summary>The parameter, of the authorization endpoint and of pages, that carries a sealed interaction.</summary>
    public const string Parameter = "continue";
    private const string Use = "idp interaction";

    public Interaction Begin(AuthorizationRequest request) => new()
    {
        Parameters = request.PushedId is null ? request.Form.Encode() : null,
        PushedId = request.PushedId,
        StartedAt = clock.GetUtcNow().ToUnixTimeMilliseconds(),
    };

    /// <summary>For a page of ours that needs a sign-in first, perhaps a fresh one.</summary>
    public Interaction Begin(string returnTo, TimeSpan? freshWithin = null) =>
        new() { ReturnTo = returnTo, FreshWithinSeconds = (int?)freshWithin?.TotalSeconds, StartedAt = clock.GetUtcNow().ToUnixTimeMilliseconds() };

    /// <summary>Seals for this browser, which gets a cookie if it has none.</summary>
    public string Seal(HttpContext http, Interaction interaction) =>
        seal.Seal(http, Use, JsonSerializer.SerializeToUtf8Bytes(interaction, InteractionJson.Default.Interaction));

    /// <summary>Null for anything but an interaction of this browser that has not run out.</summary>
    public Interaction? Open(HttpContext http, string? sealedText)
    {
        if (seal.Open(http, Use, sealedText) is not { } opened) return null;
        var interaction = JsonSerializer.Deserialize(opened, InteractionJson.Default.Interaction)!;
        return clock.GetUtcNow().ToUnixTimeMilliseconds() - interaction.StartedAt < Life.TotalMilliseconds ? interaction : null;
    }
}

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault)]
[JsonSerializable(typeof(Interaction))]
internal sealed partial class InteractionJson : JsonSerializerContext;
