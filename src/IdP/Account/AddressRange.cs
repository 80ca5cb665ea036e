using System.Net;
using System.Net.Sockets;

namespace IdP.Account;

/// <summary>A place as far as its owner needs it to recognize it: the network, not the machine in it.</summary>
internal static class AddressRange
{
    /// <summary>The /24 of an IPv4 address, the /48 of an IPv6 address; null for anything else.</summary>
    public static string? Of(string? address)
    {
        // IPv6 callers are kept as their /64.
        if (!IPAddress.TryParse(address?.Split('/')[0], out var parsed)) return null;
        if (parsed.IsIPv4MappedToIPv6) parsed = parsed.MapToIPv4();
        var bytes = parsed.GetAddressBytes();
        var kept = parsed.AddressFamily == AddressFamily.InterNetwork ? 3 : 6;
        bytes.AsSpan(kept).Clear();
        return $"{new IPAddress(bytes)}/{kept * 8}";
    }
}
