using System.Text;
using System.Text.RegularExpressions;
using IdP.Mail;
using Microsoft.Extensions.DependencyInjection;

namespace IdP.Testing;

/// <summary>A mail as it was delivered.</summary>
internal sealed record DeliveredMail(IReadOnlyDictionary<string, string> Headers, string Plain, string Html)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(1);

    public string To => Headers["To"];

    /// <summary>The subject as its reader sees it (RFC 2047).</summary>
    public string Subject => Regex.Replace(Headers["Subject"].Replace("?= =?", "?==?", StringComparison.Ordinal), @"=\?utf-8\?B\?(?<word>[^?]*)\?=",
        word => Encoding.UTF8.GetString(Convert.FromBase64String(word.Groups["word"].Value)), RegexOptions.None, Limit);

    /// <summary>The one link of the mail.</summary>
    public string Link => Regex.Match(Plain, @"https?://\S+", RegexOptions.None, Limit).Value;

    /// <summary>Reads a mail as the provider makes it: one text, one page, each in the encoding that its header names.</summary>
    public static DeliveredMail Read(string text)
    {
        var (headers, body) = Part(text.ReplaceLineEndings("\n"));
        var boundary = Regex.Match(headers["Content-Type"], "(?<=boundary=\"?)[^\";]+", RegexOptions.None, Limit).Value;
        var parts = body.Split($"--{boundary}").Skip(1).Where(part => !part.StartsWith("--", StringComparison.Ordinal)).Select(part => Part(part.TrimStart('\n'))).ToList();
        return new DeliveredMail(headers, Content("text/plain"), Content("text/html"));

        string Content(string type)
        {
            var (its, content) = parts.Single(part => part.Headers["Content-Type"].StartsWith(type, StringComparison.Ordinal));
            return its["Content-Transfer-Encoding"] == "quoted-printable" ? Unquoted(content) : content;
        }
    }

    private static (IReadOnlyDictionary<string, string> Headers, string Body) Part(string text)
    {
        var end = text.IndexOf("\n\n", StringComparison.Ordinal);
        var headers = text[..end].Replace("\n ", " ", StringComparison.Ordinal).Replace("\n\t", " ", StringComparison.Ordinal).Split('\n')
            .Select(line => line.Split(": ", 2)).ToDictionary(pair => pair[0], pair => pair[1], StringComparer.OrdinalIgnoreCase);
        return (headers, text[(end + 2)..]);
    }

    private static string Unquoted(string text)
    {
        var bytes = new List<byte>();
        text = text.Replace("=\n", "", StringComparison.Ordinal);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '=')
            {
                bytes.Add(Convert.ToByte(text.Substring(i + 1, 2), 16));
                i += 2;
            }
            else bytes.Add((byte)text[i]);
        }
        return Encoding.UTF8.GetString([.. bytes]);
    }
}

/// <summary>The folder into which a server of tests writes its mails.</summary>
internal static class Mailbox
{
    /// <summary>The mails to an address so far, oldest first.</summary>
    public static List<DeliveredMail> Mails(this IdpServer server, string to)
    {
        var folder = MailSender.FolderOf(server.App.Services.GetRequiredService<IdpOptions>());
        if (!Directory.Exists(folder)) return [];
        return Directory.GetFiles(folder, "*.eml").Order(StringComparer.Ordinal).Select(file => DeliveredMail.Read(File.ReadAllText(file))).Where(mail => mail.To == to).ToList();
    }

    /// <summary>Waits until there are that many mails to an address; the last of them.</summary>
    public static async Task<DeliveredMail> Mail(this IdpServer server, string to, int count = 1)
    {
        for (var i = 0; i < 200; i++)
        {
            if (server.Mails(to) is var mails && mails.Count >= count) return mails[count - 1];
            await Task.Delay(50);
        }
        throw new TimeoutException($"There are {server.Mails(to).Count} mails to {to}, not {count}.");
    }
}
