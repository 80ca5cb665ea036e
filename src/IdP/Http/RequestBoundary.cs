using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using IdP.Protocol;
using IdP.Protocol.OAuth;
using IdP.Storage;

namespace IdP.Http;

/// <summary>
/// The outermost step of every request: which hosts are answered, who is calling, what an unhandled failure says, and the one line
/// of the request log.
/// </summary>
internal sealed partial class RequestBoundary(RequestDelegate next, IdpOptions options, Issuer issuer, ILogger<RequestBoundary> log)
{
    private readonly HashSet<string> _hosts = AllowedHosts(options, issuer);
    private readonly HashSet<IPAddress> _proxies = options.Http.TrustedProxies.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(IPAddress.Parse).ToHashSet();

    public async Task Invoke(HttpContext http)
    {
        var started = Stopwatch.GetTimestamp();
        var request = http.Request;
        var facts = new RequestFacts { Address = Address(http), Method = request.Method, Path = WithoutKeys(request.Path.Value ?? "") };
        http.Features.Set(facts);
        http.Response.Headers.XContentTypeOptions = "nosniff";
        // Behind a proxy that ends TLS the connection is plain, but the browser's is not: the issuer says which it is, no header does.
        request.Scheme = issuer.IsHttps ? Uri.UriSchemeHttps : Uri.UriSchemeHttp;
        try
        {
            // A Host that is not ours: never answered, so that nothing downstream can be built from it.
            if (!_hosts.Contains(request.Host.Host) && !request.Path.StartsWithSegments("/health", StringComparison.Ordinal))
                await OAuthResults.Error(http, OAuthError.InvalidRequest("the Host header names none of this server's hosts (Issuer, Http:AllowedHosts)"));
            else
            {
                await next(http);
                await Explain(http);
            }
        }
        catch (Exception failure) when (!http.Response.HasStarted && !http.RequestAborted.IsCancellationRequested)
        {
            await Fail(http, facts, failure);
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            facts.Outcome = "aborted";
        }
        // Public documents and probes say nothing of anyone: they are worth a line only when they fail or somebody looks closely.
        var level = facts.Outcome is null && http.Response.StatusCode < 400 ? LogLevel.Debug : LogLevel.Information;
        if (log.IsEnabled(level))
            Request(log, level, facts.Method, Loggable(facts.Path), http.Response.StatusCode, Loggable(facts.ClientId), facts.Grant,
                facts.Outcome ?? "-", Stopwatch.GetElapsedTime(started).TotalMilliseconds, facts.Address, Loggable(facts.Detail));
    }

    /// <summary>Text from a request made safe for one line of a log.</summary>
    public static string? Loggable(string? text)
    {
        const int longest = 200;
        if (text is null) return null;
        var isPlain = text.Length <= longest && text.AsSpan().IndexOfAnyInRange('\0', '\x1f') < 0 && text.AsSpan().IndexOfAnyInRange('\x7f', '\uffff') < 0;
        if (isPlain) return text;
        var safe = new StringBuilder();
        foreach (var c in text.AsSpan(0, Math.Min(text.Length, longest)))
            if (c is >= ' ' and < '\x7f') safe.Append(c);
            else safe.Append("\\u").Append(((int)c).ToString("x4"));
        return safe.ToString();
    }

    /// <summary>A path as the log may have it: somebody may put a whole API key where its id belongs.</summary>
    private static string WithoutKeys(string path) => path.Contains(ApiKeyText.Prefix, StringComparison.Ordinal) ? KeyInPath().Replace(path, "${id}...") : path;

    [GeneratedRegex("(?<id>idp_[0-9A-Za-z]{1,12}_)[^/]+", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex KeyInPath();

    private static async Task Explain(HttpContext http)
    {
        var response = http.Response;
        if (response.HasStarted || response.StatusCode < 400 || response.ContentLength > 0) return;
        var isPage = Ui.ErrorPage.IsWanted(http.Request);
        var error = response.StatusCode switch
        {
            404 when isPage => Ui.ErrorPage.NotFound,
            404 => new OAuthError("not_found", "there is nothing at this address; /.well-known/openid-configuration lists the endpoints", 404),
            405 => new OAuthError("invalid_request", $"this endpoint takes {response.Headers.Allow}", 405),
            _ => null,
        };
        if (error is not null) await (isPage ? Ui.ErrorPage.Show(http, error) : OAuthResults.Error(http, error));
    }

    private async Task Fail(HttpContext http, RequestFacts facts, Exception failure)
    {
        Clear(http);
        OAuthError error;
        if (failure is BadHttpRequestException bad) error = new OAuthError("invalid_request", "the request is broken", bad.StatusCode, nameof(BadHttpRequestException));
        else if (failure is StoppingException) error = OAuthError.Unavailable("the server is stopping; try again", 2, nameof(StoppingException));
        else if (StorageException.IsStorageFailure(failure))
        {
            log.LogError(failure, "The database failed during {Method} {Path}", facts.Method, Loggable(facts.Path));
            error = OAuthError.Unavailable("the server cannot reach its database; try again", 2, failure.GetType().Name);
        }
        else
        {
            log.LogError(failure, "{Method} {Path} failed", facts.Method, Loggable(facts.Path));
            error = new OAuthError("server_error", $"something went wrong here; the log has it under trace {Activity.Current?.TraceId.ToHexString()}", 500, failure.GetType().Name);
        }
        if (!Ui.ErrorPage.IsWanted(http.Request) || !await ShowPage(http, error)) await OAuthResults.Error(http, error);
    }

    /// <summary>False when the error page fails too, as it may when what it is made with is what is broken.</summary>
    private async Task<bool> ShowPage(HttpContext http, OAuthError error)
    {
        try
        {
            await Ui.ErrorPage.Show(http, error);
            return true;
        }
        catch (Exception failure) when (!http.Response.HasStarted && !http.RequestAborted.IsCancellationRequested)
        {
            log.LogError(failure, "The error page failed");
            Clear(http);
            return false;
        }
    }

    private static void Clear(HttpContext http)
    {
        http.Response.Clear();
        http.Response.Headers.XContentTypeOptions = "nosniff";
    }

    private string Address(HttpContext http)
    {
        var peer = http.Connection.RemoteIpAddress;
        if (peer is null) return "unknown";
        if (peer.IsIPv4MappedToIPv6) peer = peer.MapToIPv4();
        if (_proxies.Contains(peer) && http.Request.Headers["X-Forwarded-For"] is [{ } forwarded] &&
            IPAddress.TryParse(forwarded.AsSpan(forwarded.LastIndexOf(',') + 1).Trim(), out var client)) peer = client;
        return CallerAddress.Of(peer);
    }

    private static HashSet<string> AllowedHosts(IdpOptions options, Issuer issuer)
    {
        var hosts = new HashSet<string>(StringComparer.OrdinalIgnoreCase) { new Uri(issuer.Value).Host };
        hosts.UnionWith(options.Http.AllowedHosts.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        // Whoever listens on loopback is reached by its names only.
        foreach (var url in options.Urls.Split(';'))
            if (Uri.TryCreate(url, UriKind.Absolute, out var uri) && uri.IsLoopback) hosts.UnionWith(["localhost", "127.0.0.1", "[::1]"]);
        return hosts;
    }

    [LoggerMessage(EventId = 1000, EventName = "Request", Message = "{Method} {Path} {Status} client={ClientId} grant={Grant} outcome={Outcome} {Elapsed:0.0} ms address={Address} {Detail}")]
    private static partial void Request(ILogger log, LogLevel level, string method, string? path, int status, string? clientId, string? grant, string outcome,
        double elapsed, string address, string? detail);
}
