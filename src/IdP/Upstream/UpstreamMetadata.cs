using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using IdP.Http;
using IdP.Protocol;
using IdP.Protocol.Jose;

namespace IdP.Upstream;

/// <summary>What another provider says or does makes it unusable now; the message is for the log and for the operator.</summary>
internal sealed class UpstreamException(string message) : Exception(message);

/// <summary>What a provider says of itself.</summary>
internal sealed record UpstreamEndpoints(Uri Authorization, Uri Token, Uri KeySet, Uri? UserInfo, bool SendsIssuer, bool TakesBasic);

/// <summary>Talks to other providers, and remembers their metadata and keys for a while. Requests go out by <see cref="Outbound"/>.</summary>
internal sealed class UpstreamMetadata(IHttpClientFactory outbound, TimeProvider clock)
{
    private static readonly TimeSpan Life = TimeSpan.FromMinutes(10);

    /// <summary>An unknown key has the keys read again, but not more often than that.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(10);
    private readonly ConcurrentDictionary<string, (UpstreamEndpoints Value, DateTimeOffset At)> _endpoints = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, (JsonWebKeySet Value, DateTimeOffset At)> _keys = new(StringComparer.Ordinal);

    /// <exception cref="UpstreamException">It cannot be reached or says something else than it must.</exception>
    public async Task<UpstreamEndpoints> Endpoints(string issuer, CancellationToken ct)
    {
        if (_endpoints.TryGetValue(issuer, out var known) && clock.GetUtcNow() - known.At < Life) return known.Value;
        // OpenID Connect Discovery §4.1: a slash at the end of the issuer is left out before the path is appended.
        var metadata = await GetJson(new Uri(issuer.TrimEnd('/') + "/.well-known/openid-configuration"), ct);
        // Discovery §4.3: identical, or somebody else answers in the issuer's place.
        if (!StrictJson.TryGetString(metadata, "issuer", out var named) || named != issuer) throw new UpstreamException($"the metadata of {issuer} is for another issuer");
        var methods = metadata.TryGetProperty("token_endpoint_auth_methods_supported", out var list) && list.ValueKind == JsonValueKind.Array
            ? list.EnumerateArray().Where(value => value.ValueKind == JsonValueKind.String).Select(value => value.GetString()).ToList()
            : ["client_secret_basic"];
        var endpoints = new UpstreamEndpoints(
            Address(metadata, "authorization_endpoint"), Address(metadata, "token_endpoint"), Address(metadata, "jwks_uri"),
            metadata.TryGetProperty("userinfo_endpoint", out _) ? Address(metadata, "userinfo_endpoint") : null,
            metadata.TryGetProperty("authorization_response_iss_parameter_supported", out var sends) && sends.ValueKind == JsonValueKind.True,
            methods.Contains("client_secret_basic"));
        _endpoints[issuer] = (endpoints, clock.GetUtcNow());
        return endpoints;
    }

    /// <summary>The key for a token's header; read again when it is not known.</summary>
    public async Task<VerificationKey?> Key(UpstreamEndpoints endpoints, SignedJwt token, CancellationToken ct)
    {
        var address = endpoints.KeySet.AbsoluteUri;
        var now = clock.GetUtcNow();
        if (_keys.TryGetValue(address, out var known))
        {
            if (now - known.At < Life && known.Value.Find(token.KeyId, token.Algorithm) is { } found) return found;
            if (now - known.At < Pause) return null;
        }
        if (!JsonWebKeySet.TryParse(await Get(endpoints.KeySet, ct), out var set, out var problem)) throw new UpstreamException($"{address}: {problem}");
        _keys[address] = (set, now);
        return set.Find(token.KeyId, token.Algorithm);
    }

    public async Task<JsonElement> GetJson(Uri address, CancellationToken ct, string? accessToken = null) => Parsed(address, await Get(address, ct, accessToken));

    /// <summary>Posts a form; the answer is JSON whatever its status, or there is none.</summary>
    public async Task<(int Status, JsonElement Json)> Post(Uri address, IEnumerable<KeyValuePair<string, string>> form, string? basic, CancellationToken ct)
    {
        using var content = new FormUrlEncodedContent(form);
        using var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = content };
        if (basic is not null) request.Headers.Authorization = new("Basic", Convert.ToBase64String(Encoding.ASCII.GetBytes(basic)));
        var (status, body) = await Send(request, ct);
        return (status, Parsed(address, body));
    }

    private async Task<byte[]> Get(Uri address, CancellationToken ct, string? accessToken = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        if (accessToken is not null) request.Headers.Authorization = new("Bearer", accessToken);
        var (status, body) = await Send(request, ct);
        return status == 200 ? body : throw new UpstreamException($"{address} answered {status}");
    }

    private async Task<(int Status, byte[] Body)> Send(HttpRequestMessage request, CancellationToken ct)
    {
        request.Headers.Accept.ParseAdd("application/json");
        try
        {
            using var response = await outbound.CreateClient(Outbound.Client).SendAsync(request, ct);
            return ((int)response.StatusCode, await response.Content.ReadAsByteArrayAsync(ct));
        }
        catch (HttpRequestException failure)
        {
            throw new UpstreamException($"{request.RequestUri} cannot be read: {(failure.InnerException as ForbiddenAddressException)?.Message ?? failure.HttpRequestError.ToString()}");
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new UpstreamException($"{request.RequestUri} did not answer within {Outbound.Timeout.TotalSeconds:0} s");
        }
    }

    private static JsonElement Parsed(Uri address, byte[] body) =>
        StrictJson.TryParseObject(body, out var json) ? json : throw new UpstreamException($"{address} did not answer with a JSON object");

    private static Uri Address(JsonElement metadata, string name) =>
        StrictJson.TryGetString(metadata, name, out var text) && UpstreamAddress.Parse(text) is { } address ? address : throw new UpstreamException($"the metadata has no {name} that may be used");
}

/// <summary>Which addresses of other providers may be used. Pure.</summary>
internal static class UpstreamAddress
{
    /// <summary>An https address, or http on this machine; null for anything else.</summary>
    public static Uri? Parse(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var address) && (address.Scheme == Uri.UriSchemeHttps || (address.Scheme == Uri.UriSchemeHttp && address.IsLoopback)) &&
        address.UserInfo.Length == 0 && address.Fragment.Length == 0
            ? address
            : null;
}
