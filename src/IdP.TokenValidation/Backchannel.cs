using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using IdP.Protocol;

namespace IdP.TokenValidation;

/// <summary>The provider cannot be used now; the message says why, for the log.</summary>
internal sealed class ProviderException(string message) : Exception(message);

/// <summary>Requests to the provider: bounded in time and size, redirects not followed, JSON read strictly.</summary>
[SuppressMessage("Design", "CA1001", Justification = "The connections live as long as the application.")]
internal sealed class Backchannel
{
    private const int MaximumResponseBytes = 512 * 1024;

    private readonly TokenValidationOptions _options;
    private readonly HttpClient _http;

    public Backchannel(TokenValidationOptions options)
    {
        _options = options;
        var handler = options.BackchannelHttpHandler ?? new SocketsHttpHandler
        {
            // A redirect would take the secret, or the choice of keys, to a place that nobody configured.
            AllowAutoRedirect = false,
            UseCookies = false,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            ConnectTimeout = options.BackchannelTimeout,
        };
        _http = new HttpClient(handler, disposeHandler: options.BackchannelHttpHandler is null)
        {
            Timeout = options.BackchannelTimeout,
            MaxResponseContentBufferSize = MaximumResponseBytes,
        };
        _http.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
    }

    /// <summary>The client's id and secret for HTTP Basic (RFC 6749 §2.3.1): both are form-encoded before they are put together.</summary>
    public static AuthenticationHeaderValue Credentials(TokenValidationOptions options) =>
        new("Basic", Convert.ToBase64String(Encoding.ASCII.GetBytes($"{FormEncode(options.ClientId!)}:{FormEncode(options.ClientSecret!)}")));

    public static string FormEncode(string text) => Uri.EscapeDataString(text).Replace("%20", "+", StringComparison.Ordinal);

    /// <summary>The provider's metadata (OpenID Connect Discovery 1.0 §4), which must be this issuer's own.</summary>
    public async Task<JsonElement> Discover(CancellationToken ct)
    {
        // Discovery §4.1: a slash at the end of the issuer is left out before the path is appended.
        var address = new Uri(_options.Issuer!.TrimEnd('/') + "/.well-known/openid-configuration");
        if (!StrictJson.TryParseObject(await Get(address, ct), out var metadata)) throw new ProviderException("The discovery document is not a JSON object.");

        // Discovery §4.3: identical, or somebody else answers in the issuer's place.
        if (!StrictJson.TryGetString(metadata, "issuer", out var issuer) || issuer != _options.Issuer)
            throw new ProviderException("The discovery document is for another issuer than the configured one.");
        return metadata;
    }

    public Uri Endpoint(JsonElement metadata, string name)
    {
        if (!StrictJson.TryGetString(metadata, name, out var text) || !Uri.TryCreate(text, UriKind.Absolute, out var uri) || !_options.MayUse(uri))
            throw new ProviderException($"The discovery document has no {name} that may be used.");
        return uri;
    }

    public async Task<byte[]> Get(Uri address, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        return await Send(request, ct);
    }

    /// <exception cref="ProviderException">There was no answer in time, it was not 200, or it was too long.</exception>
    public async Task<byte[]> Send(HttpRequestMessage request, CancellationToken ct)
    {
        var (status, body) = await Exchange(request, ct);
        var path = request.RequestUri!.AbsolutePath;
        if (status == HttpStatusCode.Unauthorized) throw new ProviderException($"{path} answered 401; are ClientId and ClientSecret right?");
        return status == HttpStatusCode.OK ? body : throw new ProviderException($"{path} answered {(int)status}.");
    }

    /// <summary>The same for a caller who wants other answers than 200 too.</summary>
    /// <exception cref="ProviderException">There was no answer in time, or it was too long.</exception>
    public async Task<(HttpStatusCode Status, byte[] Body)> Exchange(HttpRequestMessage request, CancellationToken ct)
    {
        var path = request.RequestUri!.AbsolutePath;
        try
        {
            using var response = await _http.SendAsync(request, ct);
            return (response.StatusCode, await response.Content.ReadAsByteArrayAsync(ct));
        }
        catch (HttpRequestException e)
        {
            throw new ProviderException($"{path} could not be read: {e.HttpRequestError}.");
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new ProviderException($"{path} did not answer in time.");
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // A handler of the application's own may throw anything; whatever it is, the provider was not reached.
            throw new ProviderException($"{path} could not be read: {e.GetType().Name}.");
        }
    }
}
