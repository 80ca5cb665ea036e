using System.Text;
using IdP.Accounts;
using IdP.Http;
using IdP.Keys;

namespace IdP.SecondFactors;

/// <summary>
/// Browsers in which somebody has proved a second factor and asked to be trusted: a sealed cookie, bound to the browser's own name, that
/// counts until it runs out or the account's stamp changes, as it does with the password and the factors.
/// </summary>
internal sealed class RememberedDevices(Sealer sealer, Cookies cookies, IdpOptions options, TimeProvider clock)
{
    private const string Use = "idp remembered device";
    private const int MostAccounts = 4;

    public bool Knows(HttpContext http, User user, KnownDevice? device) =>
        device is not null && Entries(http, device.Id).Any(entry => entry.User == user.Subject && entry.Stamp == FirstFactor.StampOf(user) && entry.Ends > clock.GetUtcNow().ToUnixTimeSeconds());

    public void Remember(HttpContext http, User user, KnownDevice device)
    {
        var life = TimeSpan.FromDays(options.SecondFactors.RememberDays);
        var ends = (clock.GetUtcNow() + life).ToUnixTimeSeconds();
        var entries = Entries(http, device.Id).Where(entry => entry.User != user.Subject).Take(MostAccounts - 1).Prepend((user.Subject, FirstFactor.StampOf(user), ends));
        var text = string.Join(' ', entries.Select(entry => $"{entry.Item1}:{entry.Item2}:{entry.Item3}"));
        cookies.Set(http, Cookies.Factor, sealer.Seal(KeyPurpose.SealPage, Use, Encoding.ASCII.GetBytes(text), Encoding.ASCII.GetBytes(device.Id)), life);
    }

    private IEnumerable<(string User, string Stamp, long Ends)> Entries(HttpContext http, string device)
    {
        if (cookies.Read(http, Cookies.Factor) is not { } text || sealer.Open(KeyPurpose.SealPage, Use, text, Encoding.ASCII.GetBytes(device)) is not { } opened) return [];
        return Encoding.ASCII.GetString(opened.Content).Split(' ').Select(entry => entry.Split(':')).Select(parts => (parts[0], parts[1], long.Parse(parts[2])));
    }
}
