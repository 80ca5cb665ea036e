using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using IdP.Testing;
using Xunit;

namespace IdP.Tests.Http;

/// <summary>A certificate is renewed by replacing its files; the server goes on, and connections from then on get the new one.</summary>
public sealed class RenewedCertificates : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("idp-renewed-").FullName;

    private string CertificateFile => Path.Combine(_folder, "tls.pem");

    private string KeyFile => Path.Combine(_folder, "tls-key.pem");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task New_files_are_shown_without_a_restart_with_the_chain_that_is_in_them_and_broken_ones_are_not()
    {
        var (first, firstKey) = SelfSigned();
        Replace(first, firstKey);
        await using var server = await IdpServer.StartEmpty(options => (options.Http.TlsCertificate, options.Http.TlsKey) = (CertificateFile, KeyFile), https: true);
        Assert.Equal(Thumbprint(first), (await Handshake(server))[0]);

        // The new certificate is there and its key is not yet: they do not belong together.
        var (authority, leaf, leafKey) = Issued();
        await File.WriteAllTextAsync(CertificateFile, leaf + authority);
        await Until(() => server.Log.Lines.Any(line => line.Contains("The certificate that is shown stays until the files are in order", StringComparison.Ordinal)));
        Assert.Equal(Thumbprint(first), (await Handshake(server))[0]);

        await File.WriteAllTextAsync(KeyFile, leafKey);
        string[] shown = [];
        await Until(async () => (shown = await Handshake(server))[0] == Thumbprint(leaf));
        // Whoever trusts the root can build the chain.
        Assert.Equal([Thumbprint(leaf), Thumbprint(authority)], shown);

        await File.WriteAllTextAsync(CertificateFile, "garbage");
        await Until(() => server.Log.Lines.Count(line => line.Contains("stays until the files are in order", StringComparison.Ordinal)) == 2);
        Assert.Equal(Thumbprint(leaf), (await Handshake(server))[0]);
    }

    private void Replace(string certificate, string key)
    {
        File.WriteAllText(CertificateFile, certificate);
        File.WriteAllText(KeyFile, key);
    }

    /// <summary>The thumbprints of the certificates that the server sends, its own first.</summary>
    private static async Task<string[]> Handshake(IdpServer server)
    {
        string[] sent = [];
        using var tcp = new TcpClient();
        await tcp.ConnectAsync("localhost", new Uri(server.Url).Port);
        await using var tls = new SslStream(tcp.GetStream(), leaveInnerStreamOpen: false, (_, certificate, chain, _) =>
        {
            var extra = chain!.ChainPolicy.ExtraStore.Select(one => one.Thumbprint);
            sent = [.. extra.Prepend(((X509Certificate2)certificate!).Thumbprint).Distinct()];
            return true;
        });
        await tls.AuthenticateAsClientAsync("localhost");
        return sent;
    }

    private static (string Certificate, string Key) SelfSigned()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = Request("CN=first", key).CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));
        return (certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    }

    private static (string Authority, string Leaf, string Key) Issued()
    {
        using var rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var root = AuthorityRequest("CN=a root", rootKey).CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));
        using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var authority = AuthorityRequest("CN=an authority", authorityKey).Create(root, DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30), [1]);
        using var issuer = authority.CopyWithPrivateKey(authorityKey);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var leaf = Request("CN=second", key).Create(issuer, DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(29), [2]);
        return (authority.ExportCertificatePem() + "\n", leaf.ExportCertificatePem() + "\n", key.ExportPkcs8PrivateKeyPem());
    }

    private static CertificateRequest AuthorityRequest(string name, ECDsa key)
    {
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        return request;
    }

    private static CertificateRequest Request(string name, ECDsa key)
    {
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        return request;
    }

    private static string Thumbprint(string pem)
    {
        using var certificate = X509Certificate2.CreateFromPem(pem);
        return certificate.Thumbprint;
    }

    private static Task Until(Func<bool> condition) => Until(() => Task.FromResult(condition()));

    private static async Task Until(Func<Task<bool>> condition)
    {
        for (var i = 0; i < 200; i++)
        {
            if (await condition()) return;
            await Task.Delay(100);
        }
        Assert.Fail("It has not happened within twenty seconds.");
    }
}
