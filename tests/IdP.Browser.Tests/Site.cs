using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using IdP.Clients;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.Extensions.Logging;

namespace IdP.Browser.Tests;

/// <summary>What a site of somebody else got from the browser.</summary>
internal sealed record SeenRequest(string Method, string Path, string Address, Dictionary<string, string> Parameters, string? Referer);

/// <summary>A site of somebody else, an app or an attacker: it keeps what it is sent and answers with what the test says.</summary>
internal sealed class Site : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<SeenRequest> _seen = new();

    private Site(WebApplication app, string url) => (_app, Url) = (app, url);

    public string Url { get; }
    public string Callback => Url + "/callback";
    public IReadOnlyCollection<SeenRequest> Seen => _seen;

    /// <summary>Documents by their path; the rest of them say that one has arrived.</summary>
    public ConcurrentDictionary<string, string> Documents { get; } = new(StringComparer.Ordinal);

    /// <summary>Where the callback leads on to, as apps do once they have the code.</summary>
    public string? Onward { get; set; }

    public static async Task<Site> Start(bool https = true)
    {
        var port = ChildProcess.FreePort();
        var url = $"{(https ? "https" : "http")}://127.0.0.1:{port}";
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port, listen =>
        {
            if (https) listen.UseHttps(X509Certificate2.CreateFromPemFile(TestTls.CertificateFile, TestTls.KeyFile));
        }));
        var app = builder.Build();
        var site = new Site(app, url);
        app.Run(site.Answer);
        await app.StartAsync();
        return site;
    }

    /// <summary>Makes this site an app of the provider.</summary>
    public Task Register(IdpServer server, string clientId, Action<Client>? configure = null) =>
        server.AddClient(clientId, "authorization_code refresh_token", "openid profile email address phone offline_access items:read items:write", client =>
        {
            (client.Name, client.RedirectUris, client.PostLogoutRedirectUris) = ("Piano lessons", [Callback], [Url + "/bye"]);
            (client.LogoUri, client.PolicyUri, client.TermsUri) = (Url + "/logo.svg", Url + "/policy", Url + "/terms");
            configure?.Invoke(client);
        });

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    private async Task Answer(HttpContext http)
    {
        var request = http.Request;
        var form = request.HasFormContentType ? await request.ReadFormAsync() : null;
        var parameters = form?.ToDictionary(pair => pair.Key, pair => pair.Value.ToString()) ?? request.Query.ToDictionary(pair => pair.Key, pair => pair.Value.ToString());
        _seen.Enqueue(new SeenRequest(request.Method, request.Path, request.GetEncodedUrl(), parameters, request.Headers.Referer is [{ } referer] ? referer : null));
        if (request.Path == "/callback" && Onward is { } onward)
        {
            http.Response.Redirect(onward);
            return;
        }
        if (request.Path == "/logo.svg")
        {
            http.Response.ContentType = "image/svg+xml";
            await http.Response.WriteAsync("""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48"><rect width="48" height="48" rx="8" fill="#0a7"/></svg>""");
            return;
        }
        http.Response.ContentType = "text/html; charset=utf-8";
        await http.Response.WriteAsync(Documents.GetValueOrDefault(request.Path, "<!DOCTYPE html><html lang=en><title>Arrived</title><link rel=icon href=data:,><p id=arrived>You have arrived.</p>"));
    }
}
