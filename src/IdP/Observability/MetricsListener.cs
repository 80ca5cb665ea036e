using System.Net;
using IdP.Http;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;

namespace IdP.Observability;

/// <summary>
/// A server of its own for /metrics, beside the one that the world talks to: neither can answer for the other, whatever a request says. It
/// has no hosts, limits of failures, request log or figures of its own, so that probes in a cluster reach it as they come.
/// </summary>
internal sealed class MetricsListener : IHttpApplication<IFeatureCollection>, IDisposable
{
    public const string Path = "/metrics";
    // Prometheus' text format.
    private const string ContentType = "text/plain; version=0.0.4; charset=utf-8";
    private const int MostConnections = 16;
    private readonly MetricsOptions _options;
    private readonly Func<ReadOnlyMemory<byte>> _collected;
    private readonly KestrelServer _server;
    private readonly SemaphoreSlim _one = new(1);

    public MetricsListener(MetricsOptions options, Func<ReadOnlyMemory<byte>> collected, ILoggerFactory logs)
    {
        (_options, _collected) = (options, collected);
        var kestrel = new KestrelServerOptions { AddServerHeader = false };
        kestrel.Limits.MaxConcurrentConnections = MostConnections;
        kestrel.Limits.MaxRequestBodySize = 0;
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(5);
        foreach (var url in Addresses(options))
        {
            if (url.Host == "localhost") kestrel.ListenLocalhost(url.Port);
            else if (IPAddress.TryParse(url.Host.Trim('[', ']'), out var ip)) kestrel.Listen(ip, url.Port);
            else kestrel.ListenAnyIP(url.Port);
        }
        _server = new KestrelServer(Options.Create(kestrel), new SocketTransportFactory(Options.Create(new SocketTransportOptions()), logs), logs);
    }

    /// <summary>Where it listens; throws at what is no address for it.</summary>
    public static List<Uri> Addresses(MetricsOptions options) => options.Urls.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
        .Select(address => Uri.TryCreate(address, UriKind.Absolute, out var url) && url is { Scheme: "http", AbsolutePath: "/", Port: > 0 } ? url
            : throw new ConfigurationException($"Metrics:Urls has '{address}': an address for figures looks like http://127.0.0.1:9464.")).ToList();

    public async Task Start(CancellationToken ct)
    {
        try
        {
            await _server.StartAsync(this, ct);
        }
        catch (IOException failure) when (failure.InnerException is Microsoft.AspNetCore.Connections.AddressInUseException)
        {
            throw new ConfigurationException($"The port of {_options.Urls} is in use by another program: stop that, or choose another port with Metrics:Urls.");
        }
    }

    public Task Stop(CancellationToken ct) => _server.StopAsync(ct);

    public void Dispose()
    {
        _server.Dispose();
        _one.Dispose();
    }

    IFeatureCollection IHttpApplication<IFeatureCollection>.CreateContext(IFeatureCollection contextFeatures) => contextFeatures;

    void IHttpApplication<IFeatureCollection>.DisposeContext(IFeatureCollection context, Exception? exception)
    {
        // There is nothing in it.
    }

    async Task IHttpApplication<IFeatureCollection>.ProcessRequestAsync(IFeatureCollection context)
    {
        var http = new DefaultHttpContext(context);
        var response = http.Response;
        response.Headers.CacheControl = "no-store";
        if (http.Request.Path != Path) { response.StatusCode = 404; return; }
        if (!HttpMethods.IsGet(http.Request.Method)) { (response.StatusCode, response.Headers.Allow) = (405, "GET"); return; }
        var ct = http.RequestAborted;
        // One collects at a time; whoever else asks waits for it.
        await _one.WaitAsync(ct);
        try
        {
            var text = _collected();
            response.ContentType = ContentType;
            response.ContentLength = text.Length;
            await response.BodyWriter.WriteAsync(text, ct);
        }
        finally
        {
            _one.Release();
        }
    }
}
