using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace IdP.Http;

/// <summary>The certificate that an https listener shows, with the chain that stands in its file. Whoever renews it replaces the files; no restart is needed.</summary>
internal sealed class TlsCertificate(IdpOptions options, TimeProvider clock, ILogger<TlsCertificate> log) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(5);
    private volatile Shown? _current;
    private (string Certificate, string Key)? _refused;

    /// <summary>What handshakes use now; the first call reads the files and throws when they cannot be used.</summary>
    public SslStreamCertificateContext Current => (_current ??= Read(options.Http)).Context;

    /// <summary>The certificate in the files, for a look at it.</summary>
    public static X509Certificate2 Load(HttpOptions options) => Parse(options, Texts(options)).Leaf;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.Http.TlsCertificate is not { Length: > 0 }) return;
        using var timer = new PeriodicTimer(Every, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken)) Look();
    }

    private void Look()
    {
        // Nobody listens with it.
        if (_current is not { } shown) return;
        (string, string)? found = null;
        try
        {
            var texts = Texts(options.Http);
            found = texts;
            if (texts == shown.Texts || texts == _refused) return;
            _current = shown = Made(options.Http, texts);
            _refused = null;
            log.LogInformation("Connections from now on get the new certificate {File}, which ends at {End:u}", options.Http.TlsCertificate, shown.Context.TargetCertificate.NotAfter.ToUniversalTime());
        }
        catch (ConfigurationException failure)
        {
            // Said once for each content; between the two files of a pair that is replaced it may just be early.
            if (found is null && _refused == ("", "")) return;
            _refused = found ?? ("", "");
            log.LogError("The certificate that is shown stays until the files are in order: {Problem}", failure.Message);
        }
    }

    private static Shown Read(HttpOptions options) => Made(options, Texts(options));

    private static Shown Made(HttpOptions options, (string Certificate, string Key) texts)
    {
        var (leaf, chain) = Parse(options, texts);
        // Windows cannot use a key that is only in memory.
        if (OperatingSystem.IsWindows()) leaf = X509CertificateLoader.LoadPkcs12(leaf.Export(X509ContentType.Pkcs12), null);
        return new Shown(texts, SslStreamCertificateContext.Create(leaf, chain, offline: true));
    }

    private static (string Certificate, string Key) Texts(HttpOptions options)
    {
        if (options.TlsCertificate is not { Length: > 0 } certificate || options.TlsKey is not { Length: > 0 } key)
            throw new ConfigurationException("An https address needs --tls-cert and --tls-key (Http:TlsCertificate, Http:TlsKey): PEM files with the certificate and its key.");
        try
        {
            return (File.ReadAllText(certificate), File.ReadAllText(key));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw Unusable(options);
        }
    }

    private static (X509Certificate2 Leaf, X509Certificate2Collection Chain) Parse(HttpOptions options, (string Certificate, string Key) texts)
    {
        try
        {
            var chain = new X509Certificate2Collection();
            chain.ImportFromPem(texts.Certificate);
            return (X509Certificate2.CreateFromPem(texts.Certificate, texts.Key), chain);
        }
        catch (Exception failure) when (failure is CryptographicException or ArgumentException)
        {
            throw Unusable(options);
        }
    }

    private static ConfigurationException Unusable(HttpOptions options) =>
        new($"The certificate {options.TlsCertificate} and the key {options.TlsKey} cannot be used: they must be readable PEM files that belong together.");

    // Contents and not times: a secret that is mounted changes by a link, and a copied file may keep its time.
    private sealed record Shown((string Certificate, string Key) Texts, SslStreamCertificateContext Context);
}
