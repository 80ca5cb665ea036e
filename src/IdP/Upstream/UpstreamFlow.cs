using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using IdP.Authorize;
using IdP.Http;
using IdP.Protocol;
using IdP.Protocol.Jose;
using IdP.Protocol.OAuth;
using IdP.Protocol.OpenId;
using IdP.Storage;
using IdP.Ui;
using Microsoft.EntityFrameworkCore;

namespace IdP.Upstream;

/// <summary>What the answer of a provider is checked by, and the interaction with which the person goes on.</summary>
internal sealed record UpstreamWay
{
    public required long ProviderId { get; init; }
    public required string Nonce { get; init; }
    public required string Verifier { get; init; }
    public required string Continue { get; init; }

    /// <summary>How old the sign-in there may be at most, in seconds; null leaves it to them.</summary>
    public long? MaxAge { get; init; }
}

/// <summary>Whom a provider has named: proved, but perhaps nobody whom anybody here knows.</summary>
internal sealed record UpstreamPerson(UpstreamProvider Provider, JwtClaims Claims, string? AccessToken, UpstreamEndpoints Endpoints)
{
    public string Subject => Claims.Subject!;

    /// <summary>When they proved it there, as far as it says so.</summary>
    public DateTimeOffset? AuthenticatedAt => Claims.TryGet("auth_time", out var value) && value.TryGetInt64(out var at) && at is > 0 and <= JwtClaims.MaximumTime ? DateTimeOffset.FromUnixTimeSeconds(at) : null;
}

/// <summary>The way to another provider and back (OpenID Connect Core §3.1): this server is the client there.</summary>
internal sealed class UpstreamFlow(UpstreamMetadata metadata, UpstreamSecrets secrets, BrowserSeal seal, Database database, Issuer issuer, TimeProvider clock)
{
    private const string Use = "idp upstream";
    private static readonly TimeSpan Life = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Skew = TimeSpan.FromMinutes(1);

    /// <summary>Where the provider sends people back to: one address each, so that no provider can answer in another's place (RFC 9700 §4.4.2).</summary>
    public static string CallbackPath(string name) => $"/sign-in/upstream/{name}";

    /// <summary>The address to send the person to.</summary>
    /// <param name="http">The request of the browser.</param>
    /// <param name="provider">Where to.</param>
    /// <param name="demand">What is required of the sign-in.</param>
    /// <param name="sealedInteraction">With what the person goes on afterwards.</param>
    /// <param name="wishedAge">How old a session there should be at most. Providers that do not do so, or do not say so, are believed all the same.</param>
    /// <param name="ct">Ends it.</param>
    /// <exception cref="UpstreamException">The provider cannot be used now.</exception>
    public async Task<string> Begin(HttpContext http, UpstreamProvider provider, SignInDemand demand, string sealedInteraction, TimeSpan? wishedAge, CancellationToken ct)
    {
        var endpoints = await metadata.Endpoints(provider.Issuer, ct);
        // Whoever must prove themselves anew here must do so there; a session there would be no proof.
        var maxAge = demand.Prompt.HasFlag(Prompt.Login) ? 0 : (long?)demand.MaxAge?.TotalSeconds;
        var way = new UpstreamWay { ProviderId = provider.Id, Nonce = RandomText(), Verifier = RandomText(), Continue = sealedInteraction, MaxAge = maxAge };
        var state = RandomText();
        var row = new UpstreamRequest
        {
            StateHash = HashOf(state),
            Sealed = seal.Seal(http, Use, JsonSerializer.SerializeToUtf8Bytes(way, UpstreamJson.Default.UpstreamWay)),
            ExpiresAt = clock.GetUtcNow() + Life,
        };
        await database.Write(async db =>
        {
            db.Add(row);
            await db.SaveChangesAsync(ct);
        }, ct);

        var parameters = new List<KeyValuePair<string, string>>
        {
            new("client_id", provider.ClientId), new("response_type", "code"), new("redirect_uri", issuer.Url(CallbackPath(provider.Name))), new("scope", string.Join(' ', provider.Scopes)),
            new("state", state), new("nonce", way.Nonce), new("code_challenge", Pkce.Challenge(way.Verifier)), new("code_challenge_method", Pkce.Method),
        };
        if (new[] { maxAge, (long?)wishedAge?.TotalSeconds }.Min() is { } seconds)
        {
            parameters.Add(new("max_age", seconds.ToString()));
            if (seconds == 0) parameters.Add(new("prompt", "login"));
        }
        var query = string.Join('&', parameters.Select(pair => $"{pair.Key}={Uri.EscapeDataString(pair.Value)}"));
        var address = endpoints.Authorization.AbsoluteUri;
        return $"{address}{(address.Contains('?') ? '&' : '?')}{query}";
    }

    /// <summary>Takes up the way that a state names: once, in the browser in which it began, and for the provider that it was for.</summary>
    public async Task<UpstreamWay?> Take(HttpContext http, UpstreamProvider provider, string state, CancellationToken ct)
    {
        var hash = HashOf(state);
        UpstreamRequest? stored;
        await using (var db = database.OpenForReading()) stored = await db.Set<UpstreamRequest>().SingleOrDefaultAsync(r => r.StateHash == hash, ct);
        if (stored is null || stored.ExpiresAt <= clock.GetUtcNow() || seal.Open(http, Use, stored.Sealed) is not { } opened) return null;
        var way = JsonSerializer.Deserialize(opened, UpstreamJson.Default.UpstreamWay)!;
        // Another provider's answer, or another browser's, uses nothing up.
        if (way.ProviderId != provider.Id) return null;
        return await database.Write(db => db.Set<UpstreamRequest>().Where(r => r.StateHash == hash).ExecuteDeleteAsync(ct), ct) == 1 ? way : null;
    }

    /// <summary>Redeems the code and checks the ID token (OpenID Connect Core §3.1.3).</summary>
    /// <exception cref="UpstreamException">The answer proves nobody; the message says why, for the log.</exception>
    public async Task<UpstreamPerson> Redeem(UpstreamProvider provider, UpstreamWay way, FormParameters answer, CancellationToken ct)
    {
        var endpoints = await metadata.Endpoints(provider.Issuer, ct);
        // RFC 9207 §2.4
        if (answer["iss"] is { } named ? named != provider.Issuer : endpoints.SendsIssuer) throw new UpstreamException("the answer's iss is missing or another issuer");
        if (answer["code"] is not { } code) throw new UpstreamException("the answer has no code");
        var form = new List<KeyValuePair<string, string>>
        {
            new("grant_type", "authorization_code"), new("code", code), new("redirect_uri", issuer.Url(CallbackPath(provider.Name))), new("code_verifier", way.Verifier),
        };
        var (status, tokens) = await metadata.Post(endpoints.Token, Authenticated(form, provider, endpoints, out var basic), basic, ct);
        if (status != 200) throw new UpstreamException($"the token endpoint answered {status}, {(StrictJson.TryGetString(tokens, "error", out var error) ? PlainText.Quoted(error) : "no error code")}");
        if (!StrictJson.TryGetString(tokens, "id_token", out var text)) throw new UpstreamException("the token endpoint gave no ID token");

        if (!SignedJwt.TryParse(text, out var token, out var problem)) throw new UpstreamException($"the ID token: {problem}");
        // RFC 8725 §3.11: a token that says it is something else is none.
        if (token.Type is not null && !token.Type.Equals("JWT", StringComparison.OrdinalIgnoreCase)) throw new UpstreamException("the ID token has the type of something else");
        if (await metadata.Key(endpoints, token, ct) is not { } key || !token.Verify(key)) throw new UpstreamException("the ID token's signature is by no key of the provider");
        if (IdTokenRules.Problem(token.Claims, provider.Issuer, provider.ClientId, way.Nonce, clock.GetUtcNow(), Skew) is { } wrong) throw new UpstreamException($"the ID token: {wrong}");
        if (way.MaxAge is { } maxAge && !IdTokenRules.IsRecent(token.Claims, TimeSpan.FromSeconds(maxAge), clock.GetUtcNow(), Skew)) throw new UpstreamException("the provider did not have the person sign in again");
        return new UpstreamPerson(provider, token.Claims, StrictJson.TryGetString(tokens, "access_token", out var access) ? access : null, endpoints);
    }

    private List<KeyValuePair<string, string>> Authenticated(List<KeyValuePair<string, string>> form, UpstreamProvider provider, UpstreamEndpoints endpoints, out string? basic)
    {
        basic = null;
        if (secrets.Open(provider) is not { } secret) form.Add(new("client_id", provider.ClientId));
        // RFC 6749 §2.3.1: both parts are form-encoded first.
        else if (endpoints.TakesBasic) basic = $"{Encoded(provider.ClientId)}:{Encoded(secret)}";
        else form.AddRange([new("client_id", provider.ClientId), new("client_secret", secret)]);
        return form;
    }

    private static string Encoded(string text) => Uri.EscapeDataString(text).Replace("%20", "+", StringComparison.Ordinal);

    private static string RandomText() => CanonicalBase64Url.Encode(RandomNumberGenerator.GetBytes(32));

    private static byte[] HashOf(string state) => SHA256.HashData(Encoding.UTF8.GetBytes(state));
}

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(UpstreamWay))]
[JsonSerializable(typeof(PendingLink))]
internal sealed partial class UpstreamJson : JsonSerializerContext;
