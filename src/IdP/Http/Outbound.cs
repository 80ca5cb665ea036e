using System.Net;
using System.Net.Sockets;

namespace IdP.Http;

/// <summary>A request to a place that this server must not be made to call; the message says which.</summary>
internal sealed class ForbiddenAddressException(string message) : Exception(message);

/// <summary>
/// The one way out: every request to an address that somebody has registered goes through this client. It calls public addresses only,
/// judged after the name was resolved and on the connection that is then made, so that a name cannot mean one address when it is
/// looked at and another when it is called. It follows no redirect, sends no cookie, uses no proxy and does not wait.
/// </summary>
internal static class Outbound
{
    public const string Client = "outbound";
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);
    private const int LongestAnswer = 64 * 1024;

    public static void AddOutbound(this IServiceCollection services) => services.AddHttpClient(Client, http =>
    {
        http.Timeout = Timeout;
        http.MaxResponseContentBufferSize = LongestAnswer;
    }).ConfigurePrimaryHttpMessageHandler(provider =>
    {
        var (options, issuer) = (provider.GetRequiredService<IdpOptions>(), provider.GetRequiredService<Issuer>());
        var reach = options.Http.AllowPrivateTargets ? Reach.Private : new Uri(issuer.Value).IsLoopback ? Reach.Loopback : Reach.Public;
        return new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            // A proxy would resolve the name itself, out of our sight.
            UseProxy = false,
            ConnectTimeout = Timeout,
            MaxResponseHeadersLength = 16,
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(10),
            PooledConnectionLifetime = TimeSpan.FromMinutes(1),
            // Our traces are nobody else's business.
            ActivityHeadersPropagator = null,
            ConnectCallback = (context, ct) => Connect(context.DnsEndPoint, reach, ct),
        };
    }).RemoveAllLoggers();

    private static async ValueTask<Stream> Connect(DnsEndPoint target, Reach reach, CancellationToken ct)
    {
        // What is no name is not looked up: the resolver throws at 0.0.0.0 and ::.
        var addresses = IPAddress.TryParse(target.Host, out var literal) ? [literal] : await Dns.GetHostAddressesAsync(target.Host, ct);
        var allowed = addresses.Where(address => TargetAddress.ReachOf(address) <= reach).ToArray();
        if (allowed.Length == 0 && addresses.Length > 0) throw new ForbiddenAddressException("it is at an address that this server may not call (Http:AllowPrivateTargets)");
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(allowed, target.Port, ct);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}

/// <summary>How far inside an address is. The order counts: whoever may call one may call those before it.</summary>
internal enum Reach
{
    Public,

    /// <summary>This machine: allowed when the issuer itself is there, as in a demo.</summary>
    Loopback,

    /// <summary>A network that is not the internet.</summary>
    Private,

    /// <summary>Nothing that anybody registers: link-local (where clouds keep credentials), unspecified, multicast, reserved.</summary>
    Never,
}

/// <summary>Judges addresses (RFC 6890 and the registries of special-purpose addresses).</summary>
internal static class TargetAddress
{
    private static readonly (IPNetwork Network, Reach Reach)[] Special =
    [
        .. Of(Reach.Loopback, "127.0.0.0/8", "::1/128"),
        .. Of(Reach.Private, "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "198.18.0.0/15", "64:ff9b:1::/48", "fc00::/7", "fec0::/10"),
        .. Of(Reach.Never, "0.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
            "::/128", "fe80::/10", "ff00::/8", "100::/64", "2001::/32", "2001:db8::/32"),
    ];

    // Addresses that have an IPv4 address in them, and where: they lead wherever that leads.
    private static readonly (IPNetwork Network, int Offset)[] Embedding = [(IPNetwork.Parse("64:ff9b::/96"), 12), (IPNetwork.Parse("2002::/16"), 2), (IPNetwork.Parse("::/96"), 12)];

    public static Reach ReachOf(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        foreach (var (network, reach) in Special)
            if (network.Contains(address)) return reach;
        foreach (var (network, offset) in Embedding)
            if (network.Contains(address)) return ReachOf(new IPAddress(address.GetAddressBytes().AsSpan(offset, 4)));
        return Reach.Public;
    }

    private static IEnumerable<(IPNetwork, Reach)> Of(Reach reach, params string[] networks) => networks.Select(network => (IPNetwork.Parse(network), reach));
}
