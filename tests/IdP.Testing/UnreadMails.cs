using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using IdP.Accounts;

namespace IdP.Testing;

/// <summary>Reads mails as people do, each once.</summary>
internal static class UnreadMails
{
    private static readonly ConditionalWeakTable<IdpServer, ConcurrentDictionary<string, bool>> Read = [];

    /// <summary>A mail to the address that was not read yet; waits for it.</summary>
    public static async Task<DeliveredMail> NextMail(this IdpServer server, string to)
    {
        var read = Read.GetOrCreateValue(server);
        for (var i = 0; i < 400; i++)
        {
            // Of several at one moment of the test's clock any may be the first.
            if (server.Mails(to).Find(mail => read.TryAdd(mail.Headers["Message-ID"], true)) is { } mail) return mail;
            await Task.Delay(50);
        }
        throw new TimeoutException($"No mail to {to} came.");
    }

    /// <summary>The secret of the mail's link.</summary>
    public static string Secret(this DeliveredMail mail) => mail.Link[(mail.Link.IndexOf($"?{MailLinks.Parameter}=", StringComparison.Ordinal) + MailLinks.Parameter.Length + 2)..];
}
