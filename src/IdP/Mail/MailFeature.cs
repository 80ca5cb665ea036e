namespace IdP.Mail;

/// <summary>
/// Owns the mails that people get about their accounts. <see cref="Mailer"/> puts a <see cref="MailMessage"/> into the outbox, in the
/// transaction of the change that it tells of, sealed because it may have a link in it that is as good as a password. When it is due,
/// <see cref="MailSender"/> opens it, has <see cref="MailText"/> write it in the language of its reader, and hands it to an SMTP server or
/// puts it into a folder. What a mail says is in Ui/Texts.resx: <c>Mail.KIND.Subject</c>, <c>.Body</c> and, if it has a link, <c>.Button</c>.
/// </summary>
internal static class MailFeature
{
    /// <summary>What commands need as well: they write mails, a running server sends them.</summary>
    public static void AddMailer(this IServiceCollection services) => services.AddSingleton<Mailer>();

    public static void AddMail(this IServiceCollection services) => services.AddSingleton<MailSender>();
}
