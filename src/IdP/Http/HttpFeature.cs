using System.Net;
using System.Net.Security;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace IdP.Http;

/// <summary>
/// Owns what every request has in common: limits of the listener, <see cref="RequestBoundary"/> around each request (hosts, failures,
/// request log), strict reading of forms (<see cref="OAuthForm"/>), the one writer of protocol answers (<see cref="OAuthResults"/>),
/// CORS, the limiter of failures, and the one way out to addresses of others (<see cref="Outbound"/>).
/// </summary>
internal static class HttpFeature
{
    public static void AddHttp(this WebApplicationBuilder builder, IdpOptions options)
    {
        builder.Services.AddSingleton<Issuer>();
        builder.Services.AddSingleton<FailureLimiter>();
        builder.Services.AddSingleton<Cookies>();
        builder.Services.AddOutbound();
        builder.Services.AddSingleton<TlsCertificate>();
        builder.Services.AddHostedService(provider => provider.GetRequiredService<TlsCertificate>());
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = OAuthForm.LongestBody;
            // Above the largest credentials that we judge, so that too large ones get our answer and not the listener's.
            kestrel.Limits.MaxRequestHeadersTotalSize = 96 * 1024;
            // An authorization request travels sealed in the address of a page.
            kestrel.Limits.MaxRequestLineSize = 12 * 1024;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
            foreach (var address in options.Urls.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)) Listen(kestrel, address);
        });
    }

    public static void UseHttp(this WebApplication app) => app.UseMiddleware<RequestBoundary>();

    private static void Listen(Microsoft.AspNetCore.Server.Kestrel.Core.KestrelServerOptions kestrel, string address)
    {
        if (!Uri.TryCreate(address, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https") || url.AbsolutePath != "/")
            throw new ConfigurationException($"Urls has '{address}': an address looks like http://localhost:8080 or https://0.0.0.0:8443.");
        void Configure(Microsoft.AspNetCore.Server.Kestrel.Core.ListenOptions listen)
        {
            if (url.Scheme != "https") return;
            var certificate = kestrel.ApplicationServices.GetRequiredService<TlsCertificate>();
            // Now, so that a start fails that could not serve; and again at each handshake, because it may have been renewed.
            _ = certificate.Current;
            listen.UseHttps(new TlsHandshakeCallbackOptions
            {
                OnConnection = _ => ValueTask.FromResult(new SslServerAuthenticationOptions { ServerCertificateContext = certificate.Current }),
            });
        }
        if (url.Host == "localhost") kestrel.ListenLocalhost(url.Port, Configure);
        else if (IPAddress.TryParse(url.Host.Trim('[', ']'), out var ip)) kestrel.Listen(ip, url.Port, Configure);
        else kestrel.ListenAnyIP(url.Port, Configure);
    }
}
