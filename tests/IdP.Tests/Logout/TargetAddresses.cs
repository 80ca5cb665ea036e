using System.Net;
using IdP.Http;
using Xunit;

namespace IdP.Tests.Logout;

/// <summary>Which addresses the server may call at all, however they are written.</summary>
public sealed class TargetAddresses
{
    [Theory]
    [Trait("Case", "LGO-06")]
    [InlineData("93.184.215.14", "Public")]
    [InlineData("2606:4700::6810:84e5", "Public")]
    [InlineData("172.15.255.255", "Public")]
    [InlineData("172.32.0.0", "Public")]
    [InlineData("100.128.0.0", "Public")]
    [InlineData("127.0.0.1", "Loopback")]
    [InlineData("127.255.255.254", "Loopback")]
    [InlineData("::1", "Loopback")]
    [InlineData("::ffff:127.0.0.1", "Loopback")]
    [InlineData("10.0.0.1", "Private")]
    [InlineData("172.16.0.1", "Private")]
    [InlineData("172.31.255.255", "Private")]
    [InlineData("192.168.0.1", "Private")]
    [InlineData("100.64.0.1", "Private")]
    [InlineData("fd00::1", "Private")]
    [InlineData("::ffff:10.0.0.1", "Private")]
    [InlineData("64:ff9b::10.0.0.1", "Private")]
    [InlineData("2002:0a00:0001::1", "Private")]
    [InlineData("169.254.169.254", "Never")]
    [InlineData("::ffff:169.254.169.254", "Never")]
    [InlineData("64:ff9b::169.254.169.254", "Never")]
    [InlineData("fe80::1", "Never")]
    [InlineData("0.0.0.0", "Never")]
    [InlineData("0.1.2.3", "Never")]
    [InlineData("::", "Never")]
    [InlineData("224.0.0.1", "Never")]
    [InlineData("255.255.255.255", "Never")]
    [InlineData("ff02::1", "Never")]
    [InlineData("2001:0::1", "Never")]
    public void An_address_is_known_for_where_it_leads(string address, string reach) => Assert.Equal(reach, TargetAddress.ReachOf(IPAddress.Parse(address)).ToString());
}
