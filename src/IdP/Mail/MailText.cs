using System.Globalization;
using System.Net;
using System.Text;
using IdP.Http;
using IdP.Ui;

namespace IdP.Mail;

/// <summary>A mail in the words of its reader's language.</summary>
internal sealed record MailText(string Subject, string Plain, string Html)
{
    public static MailText Of(MailMessage message, Issuer issuer)
    {
        var texts = Texts.In(message.Locale);
        string Text(string part) => texts.Format($"Mail.{message.Kind}.{part}", issuer.Host);
        var (subject, paragraphs, footer) = (Text("Subject"), Text("Body").ReplaceLineEndings("\n").Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries), texts.Format("Mail.Footer", issuer.Host));
        // The address of a link is configured: a request has no say in it (PWR-03).
        var link = message.Path is { } path ? issuer.Url(path) : null;

        var plain = new StringBuilder();
        var html = new StringBuilder();
        // What is to be done comes first, then the link, then what else is worth knowing.
        plain.Append(paragraphs[0]).Append("\n\n");
        html.Append(CultureInfo.InvariantCulture, $"<p style=\"margin:0 0 16px\">{Encode(paragraphs[0])}</p>\n");
        if (link is not null)
        {
            plain.Append(link).Append("\n\n");
            html.Append(CultureInfo.InvariantCulture,
                $"<p style=\"margin:24px 0\"><a href=\"{Encode(link)}\" style=\"display:inline-block;padding:12px 24px;background:#1f4fd8;color:#ffffff;font-weight:600;text-decoration:none;border-radius:10px\">{Encode(Text("Button"))}</a></p>\n");
        }
        foreach (var paragraph in paragraphs.Skip(1))
        {
            plain.Append(paragraph).Append("\n\n");
            html.Append(CultureInfo.InvariantCulture, $"<p style=\"margin:0 0 16px;color:#535f75\">{Encode(paragraph)}</p>\n");
        }
        plain.Append("-- \n").Append(footer).Append('\n');
        return new MailText(subject, plain.ToString(), Page(texts.Language, Encode(subject), html.ToString().TrimEnd(), Encode(footer)));
    }

    // Programs that show mails know little CSS and no style sheets, and nothing is fetched from anywhere.
    private static string Page(string language, string subject, string content, string footer) =>
        $"""
        <!doctype html>
        <html lang="{language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{subject}</title></head>
        <body style="margin:0;padding:24px 12px;background:#f2f4f8;color:#172033;font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',sans-serif">
        <div style="max-width:30rem;margin:0 auto;padding:32px;background:#ffffff;border:1px solid #dce1ea;border-radius:16px">
        <h1 style="margin:0 0 20px;font-size:22px;line-height:1.3">{subject}</h1>
        {content}
        </div>
        <p style="max-width:30rem;margin:16px auto 0;color:#535f75;font-size:14px;text-align:center">{footer}</p>
        </body></html>

        """;

    private static string Encode(string text) => WebUtility.HtmlEncode(text);
}
