using IdP.Testing;
using IdP.Tests.OpenId;
using IdP.Tests.Support;
using Xunit;

namespace IdP.Tests.Rfc9207;

/// <summary>RFC 9207: every authorization response says who made it, so that a client with several providers is not taken in by one.</summary>
public sealed class S2_ResponseParameterIss(PageServer fixture) : IClassFixture<PageServer>
{
    private readonly IdpServer _server = fixture.Server;

    [Theory]
    [InlineData("query"), InlineData("fragment"), InlineData("form_post")]
    public async Task A_code_comes_with_it_in_every_mode(string mode)
    {
        using var browser = new Browser(_server);
        var answer = await browser.Complete(new CodeFlow { With = { ["response_mode"] = mode } }.Parameters());
        Assert.Equal(_server.Issuer, answer.ResponseParameters()["iss"]);
        Assert.True(answer.ResponseParameters().ContainsKey("code"));
    }

    [Theory]
    [InlineData("query"), InlineData("fragment"), InlineData("form_post")]
    public async Task So_does_an_error(string mode)
    {
        using var browser = new Browser(_server);
        var flow = new CodeFlow { With = { ["response_mode"] = mode, ["scope"] = "no:such:scope" } };
        var answer = await browser.Authorize(flow.Parameters());
        answer.IsRefused(_server, flow, "invalid_scope", mode);
        Assert.Equal(_server.Issuer, answer.ResponseParameters()["iss"]);
    }

    // §2.1: it is exact, and not to be set by the request.
    [Fact]
    public async Task A_request_has_no_say_in_it()
    {
        using var browser = new Browser(_server);
        var flow = new CodeFlow { With = { ["iss"] = "https://evil.example" } };
        var answer = await browser.Complete(flow.Parameters());
        Assert.Equal(_server.Issuer, answer.ResponseParameters()["iss"]);
        Assert.DoesNotContain("evil", answer.Location, StringComparison.Ordinal);
        // An address that brings an iss of its own would make it ambiguous.
        Assert.Contains("'iss'", Protocol.OAuth.RedirectUri.Problem("https://app.example/callback?iss=https://evil.example", isNative: false), StringComparison.Ordinal);
    }

    [Fact]
    public async Task S3_The_metadata_says_that_it_is_always_there_and_is_of_the_same_issuer()
    {
        var metadata = await _server.Metadata();
        Assert.True(metadata["authorization_response_iss_parameter_supported"]!.GetValue<bool>());
        Assert.Equal(_server.Issuer, metadata["issuer"]!.GetValue<string>());
    }
}
