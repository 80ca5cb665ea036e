using System.Collections.Concurrent;
using System.Text.Json;
using IdP.Protocol;
using Microsoft.Extensions.Logging;

namespace IdP.TokenValidation;

/// <summary>Where a provider lets people and programs sign in, for the documents: read from its discovery document and kept.</summary>
internal sealed class ProviderAddresses(ILoggerFactory logs)
{
    private readonly ConcurrentDictionary<string, Refreshed<Addresses>> _byIssuer = new(StringComparer.Ordinal);

    /// <returns>Null while the provider cannot be reached: the document then describes everything but its sign-in.</returns>
    public ValueTask<Addresses?> Find(TokenValidationOptions options, CancellationToken ct) => _byIssuer.GetOrAdd(options.Issuer!, _ =>
    {
        var backchannel = new Backchannel(options);
        return new Refreshed<Addresses>(options, async (_, cancelled) => Addresses.Of(backchannel, await backchannel.Discover(cancelled)), logs.CreateLogger("IdP.TokenValidation"));
    }).Get(ct);

    /// <param name="Authorization">The authorization endpoint.</param>
    /// <param name="Token">The token endpoint.</param>
    /// <param name="Grants">What the token endpoint takes.</param>
    internal sealed record Addresses(Uri Authorization, Uri Token, IReadOnlyCollection<string> Grants)
    {
        public static Addresses Of(Backchannel backchannel, JsonElement metadata) => new(
            backchannel.Endpoint(metadata, "authorization_endpoint"), backchannel.Endpoint(metadata, "token_endpoint"),
            metadata.TryGetProperty("grant_types_supported", out var grants) && grants.ValueKind == JsonValueKind.Array
                ? [.. grants.EnumerateArray().Where(grant => grant.ValueKind == JsonValueKind.String).Select(grant => grant.GetString()!)]
                : ["authorization_code"]);
    }
}
