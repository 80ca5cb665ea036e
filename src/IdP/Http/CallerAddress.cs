using System.Net;
using System.Net.Sockets;

namespace IdP.Http;

/// <summary>A caller's address as it is counted, logged and kept.</summary>
internal static class CallerAddress
{
    /// <summary>An IPv4 address, or the /64 of an IPv6 address: that is what one customer gets, with more addresses in it than could be counted.</summary>
    public static string Of(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        if (address.AddressFamily != AddressFamily.InterNetworkV6 || IPAddress.IsLoopback(address)) return address.ToString();
        var bytes = address.GetAddressBytes();
        bytes.AsSpan(8).Clear();
        return $"{new IPAddress(bytes)}/64";
    }
}
