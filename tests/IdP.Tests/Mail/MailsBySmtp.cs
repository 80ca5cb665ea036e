using System.Text.Json.Nodes;
using IdP.Audit;
using IdP.Mail;
using IdP.Storage;
using IdP.Testing;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace IdP.Tests.Mail;

/// <summary>Mails through a mail server that we did not write (tests/interop/smtp.py).</summary>
public sealed class MailsBySmtp
{
    private const string User = "idp";
    private const string Password = "an-Smtp-password-4242";
    private readonly int _port = ChildProcess.FreePort();
    private readonly Uri _web = new($"http://127.0.0.1:{ChildProcess.FreePort()}/");

    [Fact]
    public async Task A_trusted_server_gets_it_by_STARTTLS_and_with_the_password()
    {
        await using var smtp = await Serve("--tls", TestTls.CertificateFile, TestTls.KeyFile, "--user", User, Password);
        using var data = new Folder();
        // A program of its own, because what it trusts is read at its start.
        var issuer = $"http://localhost:{ChildProcess.FreePort()}";
        await using var provider = await ChildProcess.Serve(new Uri(issuer + "/health/ready"), [.. ChildProcess.Provider, "serve", "--data", data.Path, "--urls", issuer], environment: new Dictionary<string, string>
        {
            ["SSL_CERT_FILE"] = TestTls.CertificateFile,
            ["IDP__Mail__SmtpHost"] = "localhost",
            ["IDP__Mail__SmtpPort"] = $"{_port}",
            ["IDP__Mail__SmtpUser"] = User,
            ["IDP__Mail__SmtpPassword"] = Password,
            ["IDP__Mail__From"] = "Prüfstelle <no-reply@example.com>",
        });
        using var beside = await Commands.Offline.Open(data.Path);
        await beside.Get<Database>().Write(async db =>
        {
            beside.Get<Mailer>().Add(db, new MailMessage(MailKind.ResetPassword, "alice@example.com", "de", "/recovery/new?link=abc_def-ghi"));
            await db.SaveChangesAsync();
        }, CancellationToken.None);

        var taken = await Taken(1, () => provider.Output);

        Assert.Equal(("no-reply@example.com", "alice@example.com", true, User), (Text("from"), taken["to"]![0]!.GetValue<string>(), taken["tls"]!.GetValue<bool>(), Text("user")));
        var mail = DeliveredMail.Read(Text("text"));
        Assert.Equal(issuer + "/recovery/new?link=abc_def-ghi", mail.Link);
        Assert.Contains("möchte ein neues Passwort für Ihr Konto", mail.Plain, StringComparison.Ordinal);
        Assert.StartsWith("Ein neues Passwort bei localhost", mail.Subject, StringComparison.Ordinal);
        Assert.DoesNotContain(Password, provider.Output, StringComparison.Ordinal);

        string Text(string name) => taken[name]!.GetValue<string>();
    }

    [Fact]
    public async Task A_server_that_is_not_trusted_or_speaks_no_TLS_gets_nothing()
    {
        await using var smtp = await Serve("--tls", TestTls.CertificateFile, TestTls.KeyFile);
        await using var server = await Start();
        await MailsToAFolder.Add(server, new MailMessage(MailKind.PasswordChanged, "alice@example.com", "en", "/account"));
        Assert.True(await MailsToAFolder.Until(() => server.Log.Lines.Any(line => line.Contains("attempt 1: the certificate of localhost is not trusted", StringComparison.Ordinal))));

        var plain = new MailsBySmtp();
        await using var smtpWithoutTls = await plain.Serve();
        await using var other = await plain.Start();
        await MailsToAFolder.Add(other, new MailMessage(MailKind.PasswordChanged, "alice@example.com", "en", "/account"));
        Assert.True(await MailsToAFolder.Until(() => other.Log.Lines.Any(line => line.Contains($"attempt 1: localhost:{plain._port} did not take it", StringComparison.Ordinal))));
        Assert.Empty((await plain.State())["mails"]!.AsArray());
        Assert.Empty((await State())["mails"]!.AsArray());
    }

    [Theory]
    [InlineData("451", false)]
    [InlineData("550", true)]
    public async Task An_address_that_the_server_refuses_for_good_is_given_up_at_once(string status, bool isFinal)
    {
        await using var smtp = await Serve("--refuse", status);
        await using var server = await Start(options => options.Mail.SmtpStartTls = false);
        await MailsToAFolder.Add(server, new MailMessage(MailKind.PasswordChanged, "gone@example.com", "en", "/account", Subject: "0123"));

        Assert.True(await MailsToAFolder.Until(() => server.Log.Lines.Any(line => line.Contains(isFinal ? "given up after 1 attempts" : "attempt 1: localhost", StringComparison.Ordinal))));

        await using var db = server.Database.OpenForReading();
        Assert.Equal(isFinal, await db.Set<AuditEvent>().AnyAsync(e => e.Type == "mail.undelivered" && e.Target == "user:0123"));
        Assert.DoesNotContain(server.Log.Lines, line => line.Contains("gone@", StringComparison.Ordinal));
    }

    private Task<IdpServer> Start(Action<IdpOptions>? configure = null) => IdpServer.StartEmpty(options =>
    {
        (options.Mail.SmtpHost, options.Mail.SmtpPort) = ("localhost", _port);
        configure?.Invoke(options);
    });

    private Task<ChildProcess> Serve(params string[] options) =>
        ChildProcess.Serve(_web, ["/usr/bin/python3", Path.Combine(ChildProcess.Repository, "tests", "interop", "smtp.py"), $"{_port}", $"{_web.Port}", .. options]);

    private async Task<JsonNode> State()
    {
        using var http = new HttpClient();
        return JsonNode.Parse(await http.GetStringAsync(_web))!;
    }

    private async Task<JsonObject> Taken(int count, Func<string> said)
    {
        for (var i = 0; i < 200; i++)
        {
            if ((await State())["mails"]!.AsArray() is var mails && mails.Count >= count) return mails[count - 1]!.AsObject();
            await Task.Delay(50);
        }
        throw new TimeoutException($"The server has got no mail:\n{said()}");
    }

    private sealed class Folder : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("idp-mail-").FullName;

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}
