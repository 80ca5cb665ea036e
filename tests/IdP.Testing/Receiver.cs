using System.Collections.Concurrent;
using System.Security.Authentication;
using System.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace IdP.Testing;

/// <summary>What came to an app's own server.</summary>
internal sealed record Received(string Method, string Path, string ContentType, string Body, SslProtocols Tls, IReadOnlyDictionary<string, string> Headers)
{
    public IReadOnlyDictionary<string, string> Form()
    {
        var parsed = HttpUtility.ParseQueryString(Body);
        return parsed.AllKeys.ToDictionary(name => name!, name => parsed[name]!, StringComparer.Ordinal);
    }
}

/// <summary>The server of an app, over TLS: it keeps what the provider sends there, and answers as the test says.</summary>
internal sealed class Receiver : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<Received> _all = new();
    private readonly SemaphoreSlim _arrived = new(0);

    private Receiver(WebApplication app, string url) => (_app, Url) = (app, url);

    public string Url { get; }

    public IReadOnlyCollection<Received> All => _all;

    /// <param name="answer">What it does with a request; null answers 200.</param>
    public static async Task<Receiver> Start(Func<HttpContext, Task>? answer = null)
    {
        var port = ChildProcess.FreePort();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenLocalhost(port, listen =>
            listen.UseHttps(System.Security.Cryptography.X509Certificates.X509Certificate2.CreateFromPemFile(TestTls.CertificateFile, TestTls.KeyFile))));
        var receiver = new Receiver(builder.Build(), $"https://localhost:{port}");
        receiver._app.Run(async http =>
        {
            using var reader = new StreamReader(http.Request.Body);
            var body = await reader.ReadToEndAsync();
            receiver._all.Enqueue(new Received(http.Request.Method, http.Request.Path + http.Request.QueryString, http.Request.ContentType ?? "", body,
                http.Features.Get<ITlsHandshakeFeature>()!.Protocol, http.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase)));
            receiver._arrived.Release();
            http.Response.Headers.CacheControl = "no-store";
            if (answer is not null) await answer(http);
        });
        await receiver._app.StartAsync();
        return receiver;
    }

    /// <summary>Waits until so many more requests have come.</summary>
    public async Task Wait(int count = 1, int seconds = 30)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
        for (var i = 0; i < count; i++) await _arrived.WaitAsync(patience.Token);
    }

    public async ValueTask DisposeAsync()
    {
        // A request that hangs on purpose is not waited for.
        using var now = new CancellationTokenSource(TimeSpan.Zero);
        try
        {
            await _app.StopAsync(now.Token);
        }
        catch (OperationCanceledException)
        {
        }
        await _app.DisposeAsync();
        _arrived.Dispose();
    }
}
