using System.Net;
using System.Net.Mail;
using System.Net.Mime;
using System.Security.Authentication;
using System.Text;
using IdP.Http;
using IdP.Outbox;

namespace IdP.Mail;

/// <summary>Sends one mail out of the outbox: to the SMTP server that is configured, else into a folder.</summary>
internal sealed class MailSender
{
    // Less than the time for which the outbox leaves an item to one node.
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20);
    private readonly Mailer _mailer;
    private readonly Issuer _issuer;
    private readonly MailOptions _options;
    private readonly MailAddress _from;
    private readonly string _folder;

    public MailSender(Mailer mailer, Issuer issuer, IdpOptions options)
    {
        (_mailer, _issuer, _options) = (mailer, issuer, options.Mail);
        _from = From(options.Mail.From ?? $"no-reply@{new Uri(issuer.Value).Host}");
        _folder = FolderOf(options);
    }

    public static string FolderOf(IdpOptions options) => Path.GetFullPath(options.Mail.PickupFolder ?? Path.Combine(options.Storage.DataDirectory, "mail"));

    /// <summary>Refuses settings that cannot work, at the start rather than at the first mail.</summary>
    public static void Check(IdpOptions options)
    {
        var mail = options.Mail;
        if (mail.From is { } from) _ = From(from);
        if (mail.SmtpHost is null && (mail.SmtpUser ?? mail.SmtpPassword) is not null)
            throw new ConfigurationException("Mail:SmtpUser or Mail:SmtpPassword is set without Mail:SmtpHost: name the server too.");
        if (mail.SmtpHost is null) return;
        if (Uri.CheckHostName(mail.SmtpHost) == UriHostNameType.Unknown)
            throw new ConfigurationException($"Mail:SmtpHost is {Protocol.PlainText.Quoted(mail.SmtpHost)}: it must be the name or the IP address of a server; the port is Mail:SmtpPort.");
        if (mail.SmtpPort == 465)
            throw new ConfigurationException("Mail:SmtpPort is 465, where servers expect TLS from the first byte, which is not supported: use the port for STARTTLS, mostly 587.");
        if (mail.SmtpPort is < 1 or > 65535) throw new ConfigurationException($"Mail:SmtpPort is {mail.SmtpPort}: it must be between 1 and 65535, mostly 587.");
        if (mail.SmtpUser is null != mail.SmtpPassword is null) throw new ConfigurationException("Mail:SmtpUser and Mail:SmtpPassword go together: set both or neither.");
        if (!mail.SmtpStartTls && mail.SmtpUser is not null)
            throw new ConfigurationException("Mail:SmtpStartTls is false and Mail:SmtpUser is set: the password would travel in the clear. Turn STARTTLS on, or sign in to a relay that needs no password.");
    }

    /// <summary>Null when the mail is on its way, or is not to be sent any more; else what went wrong.</summary>
    public async Task<Undelivered?> Send(OutboxItem item, CancellationToken ct)
    {
        if (_mailer.Read(item) is not { } message) return new Undelivered("it cannot be opened any more", IsFinal: true);
        using var mail = Make(message, item);
        try
        {
            if (_options.SmtpHost is null) Drop(mail, item);
            else await Hand(mail, ct);
            return null;
        }
        catch (SmtpException failure) when (failure.InnerException is null || failure.InnerException is IOException or AuthenticationException or System.Net.Sockets.SocketException)
        {
            // The server's own words may name the person: the status is enough to look it up there.
            return failure.InnerException is AuthenticationException
                ? new Undelivered($"the certificate of {_options.SmtpHost} is not trusted")
                : new Undelivered($"{_options.SmtpHost}:{_options.SmtpPort} did not take it ({failure.StatusCode})", IsFinal: failure is SmtpFailedRecipientException && IsForGood(failure.StatusCode));
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return new Undelivered($"{_options.SmtpHost}:{_options.SmtpPort} did not answer within {Timeout.TotalSeconds:0} s");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return new Undelivered($"the folder {_folder} cannot be written");
        }
    }

    private async Task Hand(System.Net.Mail.MailMessage mail, CancellationToken ct)
    {
        using var smtp = new SmtpClient(_options.SmtpHost, _options.SmtpPort) { EnableSsl = _options.SmtpStartTls };
        if (_options.SmtpUser is { } user) smtp.Credentials = new NetworkCredential(user, _options.SmtpPassword);
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limited.CancelAfter(Timeout);
        await smtp.SendMailAsync(mail, limited.Token);
    }

    /// <summary>Writes the mail beside the folder's mails and then gives it its name: whoever watches the folder never reads half of one.</summary>
    private void Drop(System.Net.Mail.MailMessage mail, OutboxItem item)
    {
        var unfinished = Path.Combine(_folder, $".{item.Id:N}");
        MakeFolder(_folder);
        MakeFolder(unfinished);
        using (var smtp = new SmtpClient { DeliveryMethod = SmtpDeliveryMethod.SpecifiedPickupDirectory, PickupDirectoryLocation = unfinished }) smtp.Send(mail);
        var written = Directory.GetFiles(unfinished).Single();
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(written, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.Move(written, Path.Combine(_folder, $"{item.Id:N}.eml"), overwrite: true);
        Directory.Delete(unfinished, recursive: true);
    }

    // A link in a mail is as good as a password: what we make is for nobody else's eyes.
    private static void MakeFolder(string folder)
    {
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(folder);
        else Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private System.Net.Mail.MailMessage Make(MailMessage message, OutboxItem item)
    {
        var text = MailText.Of(message, _issuer);
        var mail = new System.Net.Mail.MailMessage(_from, new MailAddress(message.To)) { Subject = text.Subject, SubjectEncoding = Encoding.UTF8 };
        // The same at every attempt, so that a mail that was sent twice after a lost answer is known as one.
        mail.Headers.Add("Message-ID", $"<{item.Id:N}@{_from.Host}>");
        // RFC 3834 §5: no answering machine writes back.
        mail.Headers.Add("Auto-Submitted", "auto-generated");
        mail.AlternateViews.Add(View(text.Plain, MediaTypeNames.Text.Plain));
        mail.AlternateViews.Add(View(text.Html, MediaTypeNames.Text.Html));
        return mail;
    }

    private AlternateView View(string text, string type)
    {
        var view = AlternateView.CreateAlternateViewFromString(text, Encoding.UTF8, type);
        // A person or a script that reads a file wants the link as it is; servers are promised seven bits.
        view.TransferEncoding = _options.SmtpHost is null ? TransferEncoding.EightBit : TransferEncoding.QuotedPrintable;
        return view;
    }

    private static MailAddress From(string text) =>
        !text.Any(char.IsControl) && MailAddress.TryCreate(text, out var address)
            ? address
            : throw new ConfigurationException($"Mail:From is {Protocol.PlainText.Quoted(text)}: it must be an e-mail address, or a name and an address such as Example <no-reply@example.com>.");

    // RFC 5321 §4.2.1: 5yz will be the same tomorrow.
    private static bool IsForGood(SmtpStatusCode status) => (int)status is >= 500 and < 600;
}
