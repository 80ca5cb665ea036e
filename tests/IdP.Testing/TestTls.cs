using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace IdP.Testing;

/// <summary>A certificate for localhost, made once a run; whoever connects pins it.</summary>
internal static class TestTls
{
    private static readonly Lazy<(string Certificate, string Key, string Thumbprint)> Files = new(Make);

    public static string CertificateFile => Files.Value.Certificate;

    public static string KeyFile => Files.Value.Key;

    /// <summary>Makes an HttpClient trust this certificate and no other.</summary>
    public static SocketsHttpHandler Pin(SocketsHttpHandler handler)
    {
        var thumbprint = Files.Value.Thumbprint;
        handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is X509Certificate2 presented && presented.Thumbprint == thumbprint;
        return handler;
    }

    private static (string, string, string) Make()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));
        var folder = Directory.CreateTempSubdirectory("idp-tls-").FullName;
        var (file, keyFile) = (Path.Combine(folder, "tls.pem"), Path.Combine(folder, "tls-key.pem"));
        File.WriteAllText(file, certificate.ExportCertificatePem());
        File.WriteAllText(keyFile, key.ExportPkcs8PrivateKeyPem());
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);
        return (file, keyFile, certificate.Thumbprint);
    }
}
