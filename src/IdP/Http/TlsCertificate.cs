using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace IdP.Http;

internal static class TlsCertificate
{
    public static X509Certificate2 Load(HttpOptions options)
    {
        if (options.TlsCertificate is not { Length: > 0 } certificate || options.TlsKey is not { Length: > 0 } key)
            throw new ConfigurationException("An https address needs --tls-cert and --tls-key (Http:TlsCertificate, Http:TlsKey): PEM files with the certificate and its key.");
        try
        {
            return X509Certificate2.CreateFromPemFile(certificate, key);
        }
        catch (Exception failure) when (failure is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException($"The certificate {certificate} and the key {key} cannot be used: they must be readable PEM files that belong together.");
        }
    }
}
