using IdP.Protocol.OAuth;

namespace IdP.Protocol.Tests.Rfc6454;

public sealed class S6_2_AsciiSerialization
{
    [Theory]
    [InlineData("https://app.example", "https://app.example")]
    [InlineData("https://app.example/", "https://app.example")]
    [InlineData("https://App.EXAMPLE/path?query#fragment", "https://app.example")]
    [InlineData("https://app.example:443", "https://app.example")]
    [InlineData("http://app.example:80", "http://app.example")]
    [InlineData("http://app.example:443", "http://app.example:443")]
    [InlineData("http://localhost:3000", "http://localhost:3000")]
    [InlineData("http://127.1:8080", "http://127.0.0.1:8080")]
    [InlineData("http://[::1]:8080", "http://[::1]:8080")]
    [InlineData("http://[0:0::1]", "http://[::1]")]
    [InlineData("https://bücher.example", "https://xn--bcher-kva.example")]
    public void An_address_has_the_origin_that_a_browser_sends(string address, string origin) => Assert.Equal(origin, WebOrigin.Of(address));

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("*")]
    [InlineData("app.example")]
    [InlineData("//app.example")]
    [InlineData("https://*.example")]
    [InlineData("https://")]
    [InlineData("file:///etc/passwd")]
    [InlineData("app://app.example")]
    [InlineData("https://user@app.example")]
    [InlineData("https://user:secret@app.example")]
    [InlineData("https://app..example")]
    public void Anything_else_has_none(string address) => Assert.Null(WebOrigin.Of(address));
}
