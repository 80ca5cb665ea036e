using System.Security.Cryptography;
using System.Text;
using IdP.Http;
using IdP.Keys;
using IdP.Protocol.Jose;

namespace IdP.Accounts;

/// <summary>A browser from which accounts have signed in.</summary>
internal sealed record KnownDevice(string Id, IReadOnlyList<Guid> Accounts)
{
    public bool IsOf(User user) => Accounts.Contains(user.Id);
}

/// <summary>Knows a browser again by a sealed cookie that names it and the accounts that signed in from it. Nothing is stored here.</summary>
internal sealed class KnownDevices(Sealer sealer, Cookies cookies)
{
    private const string Use = "idp known device";

    /// <summary>A shared computer has a few people; the cookie must stay small.</summary>
    private const int MostAccounts = 8;
    private static readonly TimeSpan Life = TimeSpan.FromDays(180);

    public KnownDevice? Find(HttpContext http)
    {
        if (cookies.Read(http, Cookies.Device) is not { } text || sealer.Open(KeyPurpose.SealPage, Use, text) is not { } opened) return null;
        var words = Encoding.ASCII.GetString(opened.Content).Split(' ');
        return new KnownDevice(words[0], words.Skip(1).Select(word => Guid.ParseExact(word, "N")).ToList());
    }

    /// <summary>Notes that the account has signed in here; the device keeps its name.</summary>
    public KnownDevice Remember(HttpContext http, Guid account)
    {
        var known = Find(http) ?? new KnownDevice(CanonicalBase64Url.Encode(RandomNumberGenerator.GetBytes(16)), []);
        var accounts = known.Accounts.Where(other => other != account).Prepend(account).Take(MostAccounts).ToList();
        var device = new KnownDevice(known.Id, accounts);
        cookies.Set(http, Cookies.Device, sealer.Seal(KeyPurpose.SealPage, Use, Encoding.ASCII.GetBytes(string.Join(' ', [known.Id, .. accounts.Select(id => id.ToString("N"))]))), Life);
        return device;
    }
}
