using IdP.Audit;
using IdP.Mail;
using IdP.Outbox;
using IdP.Storage;
using IdP.Testing;
using IdP.Tests.Support;
using IdP.Ui;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace IdP.Tests.Mail;

/// <summary>Mails are rows of the change that they tell of; without an SMTP server they end up in a folder.</summary>
public sealed class MailsToAFolder(PageServer fixture) : IClassFixture<PageServer>
{
    private readonly IdpServer _server = fixture.Server;

    [Fact]
    [Trait("Case", "PWR-10")]
    public async Task Each_kind_is_written_in_each_language_as_text_and_as_a_page()
    {
        var mails = (from kind in Enum.GetValues<MailKind>()
                     from language in Texts.Languages
                     let path = Texts.In(language).Find($"Mail.{kind}.Button") is null ? null : "/account/somewhere?link=abc&way=d_e-f"
                     select new MailMessage(kind, $"{kind}.{language}@example.com".ToLowerInvariant(), language, path)).ToList();
        await _server.Change(async (db, _) =>
        {
            foreach (var message in mails) Mailer.Add(db, message);
            await db.SaveChangesAsync();
        });
        foreach (var message in mails)
        {
            var mail = await _server.Mail(message.To);
            Assert.Equal(Texts.In(message.Locale).Format($"Mail.{message.Kind}.Subject", new Uri(_server.Issuer).Authority), mail.Subject);
            Assert.Equal(message.Path is null ? "" : _server.Issuer + message.Path, mail.Link);
            if (message.Path is not null) Assert.Contains($"href=\"{_server.Issuer}/account/somewhere?link=abc&amp;way=d_e-f\"", mail.Html, StringComparison.Ordinal);
            Assert.Contains($"<html lang=\"{message.Locale}\">", mail.Html, StringComparison.Ordinal);
            Assert.DoesNotContain("{", mail.Plain + mail.Html, StringComparison.Ordinal);
            Assert.Equal("auto-generated", mail.Headers["Auto-Submitted"]);
            // Nothing is fetched when it is read: no picture tells anybody when.
            Assert.DoesNotContain("src=", mail.Html, StringComparison.OrdinalIgnoreCase);
        }
    }

    [Fact]
    [Trait("Case", "LOG-02")]
    public async Task What_waits_is_sealed_and_nothing_is_sent_of_what_was_not_committed()
    {
        const string secret = "a-secret-in-a-link-0123456789";
        var message = new MailMessage(MailKind.ResetPassword, "sealed@example.com", "en", $"/x?link={secret}");
        var clock = _server.Clock.GetUtcNow();
        await Assert.ThrowsAsync<InvalidOperationException>(() => _server.Database.Write(async db =>
        {
            Mailer.Add(db, message);
            await db.SaveChangesAsync();
            throw new InvalidOperationException("the change fails");
        }, CancellationToken.None));
        Assert.False(await _server.Database.OpenForReading().Set<OutboxItem>().AnyAsync(o => o.Kind == OutboxItem.Mail && o.CreatedAt >= clock));

        using var db = _server.Database.OpenForReading();
        Mailer.Add(db, message);
        var item = db.ChangeTracker.Entries<OutboxItem>().Single().Entity;
        Assert.DoesNotContain(secret, item.Payload, StringComparison.Ordinal);
        Assert.DoesNotContain("sealed@", item.Payload + item.Target, StringComparison.Ordinal);
        Assert.Equal(message, Mailer.Read(item));
        // A sealed mail is good in its own row only.
        item.Id = Guid.CreateVersion7();
        Assert.Null(Mailer.Read(item));
        Assert.DoesNotContain(_server.Log.Lines, line => line.Contains(secret, StringComparison.Ordinal));
    }

    [Theory]
    [Trait("Case", "PWR-10")]
    [InlineData("eve@example.com\r\nBcc: all@example.com", null)]
    [InlineData("eve@example.com, all@example.com", null)]
    [InlineData("\"Eve\" <eve@example.com>", null)]
    [InlineData("eve@example.com", "https://evil.test/")]
    [InlineData("eve@example.com", "//evil.test/")]
    [InlineData("eve@example.com", "/\\evil.test/")]
    [InlineData("eve@example.com", "/x\r\ny")]
    [InlineData("eve@example.com", "/x\"><script>")]
    public void What_is_no_address_and_no_path_of_ours_becomes_no_mail(string to, string? path)
    {
        using var db = _server.Database.OpenForReading();
        Assert.Throws<ArgumentException>(() => Mailer.Add(db, new MailMessage(MailKind.ResetPassword, to, "en", path)));
        Assert.Empty(db.ChangeTracker.Entries());
    }

    [Theory]
    [Trait("Case", "PWR-10")]
    [InlineData("xx")]
    [InlineData(null)]
    [InlineData("en\r\nBcc: all@example.com")]
    [InlineData("\"><script>alert(1)</script>")]
    public async Task A_language_that_we_do_not_speak_becomes_English(string? locale)
    {
        var to = $"{Guid.NewGuid():N}@example.com";
        await Add(new MailMessage(MailKind.PasswordChanged, to, locale, "/account"));

        var mail = await _server.Mail(to);

        Assert.Contains("<html lang=\"en\">", mail.Html, StringComparison.Ordinal);
        Assert.DoesNotContain("Bcc", mail.Headers.Keys);
        Assert.DoesNotContain("<script", mail.Html, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_folder_that_cannot_be_written_is_tried_again_and_then_told_in_the_audit()
    {
        var file = Path.GetTempFileName();
        await using var server = await IdpServer.StartEmpty(options => options.Mail.PickupFolder = file);
        await Add(server, new MailMessage(MailKind.PasswordChanged, "carol@example.com", "en", "/account", Subject: "0123"));
        for (var attempt = 0; attempt <= OutboxSender.Pauses.Count; attempt++)
        {
            var said = attempt < OutboxSender.Pauses.Count ? $"attempt {attempt + 1}: the folder" : "given up after 5 attempts";
            Assert.True(await Until(() => server.Log.Lines.Any(line => line.Contains(said, StringComparison.Ordinal))), said);
            if (attempt < OutboxSender.Pauses.Count) server.Clock.Advance(OutboxSender.Pauses[attempt]);
        }
        await using var db = server.Database.OpenForReading();
        Assert.Equal("user:0123", (await db.Set<AuditEvent>().SingleAsync(e => e.Type == "mail.undelivered")).Target);
        Assert.DoesNotContain(server.Log.Lines, line => line.Contains("carol@", StringComparison.Ordinal));
        File.Delete(file);
    }

    [Fact]
    public async Task Mails_in_the_folder_are_for_nobody_else()
    {
        await Add(new MailMessage(MailKind.PasswordChanged, "closed@example.com", "en", "/account"));
        await _server.Mail("closed@example.com");
        if (OperatingSystem.IsWindows()) return;
        var folder = MailSender.FolderOf(_server.App.Services.GetRequiredService<IdpOptions>());
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(folder));
        foreach (var file in Directory.GetFiles(folder, "*.eml")) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
    }

    private Mailer Mailer => _server.App.Services.GetRequiredService<Mailer>();

    private Task Add(MailMessage message) => Add(_server, message);

    internal static Task Add(IdpServer server, MailMessage message) => server.Change(async (db, _) =>
    {
        server.App.Services.GetRequiredService<Mailer>().Add(db, message);
        await db.SaveChangesAsync();
    });

    internal static async Task<bool> Until(Func<bool> condition)
    {
        for (var i = 0; i < 200; i++)
        {
            if (condition()) return true;
            await Task.Delay(50);
        }
        return false;
    }
}
