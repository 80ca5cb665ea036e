using System.Buffers.Text;
using System.Text;
using IdP.Testing;
using Xunit;

namespace IdP.Tests.Conformance;

/// <summary>Modules of the Basic plan about the authorization request: how it comes, and what is refused where.</summary>
public abstract class RequestModules(ConformanceProvider provider, string mode)
{
    [Fact]
    [Trait("Module", "oidcc-response-type-missing")]
    public async Task Without_a_response_type_the_client_is_told()
    {
        using var party = await Party();
        var request = party.Request(("response_type", null));
        party.Refused(request, await party.Browser.Authorize(request), "invalid_request", "unsupported_response_type");
    }

    [Theory]
    [Trait("Module", "oidcc-ensure-registered-redirect-uri")]
    [InlineData("https://suite.test/test/a/idp/callback/not-registered")]
    [InlineData("https://suite.test/test/a/idp/callback?added=query")]
    [InlineData("https://other.test/test/a/idp/callback")]
    public async Task An_address_that_is_not_registered_gets_nothing_not_even_an_error(string address)
    {
        using var party = await Party();
        await party.Fly(party.Request());
        var answer = await party.Browser.Authorize(party.Request(("redirect_uri", address)));
        CommonChecks.ErrorPage(answer);
        Assert.DoesNotContain(address, answer.Body, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Module", "oidcc-ensure-post-request-succeeds")]
    public async Task A_form_that_another_site_posts_goes_like_a_redirect()
    {
        using var party = await Party();
        var first = await party.Fly(party.Request());

        // A browser sends no Lax cookie with a POST from another site, and sends them again when it follows the redirect.
        var request = party.Request();
        using var posted = new HttpRequestMessage(HttpMethod.Post, party.Metadata["authorization_endpoint"]!.GetValue<string>()) { Content = new FormUrlEncodedContent(request) };
        posted.Headers.Add("Origin", "https://suite.test");
        posted.Headers.Add("Sec-Fetch-Site", "cross-site");
        var bounced = await provider.Server.Send(posted);
        Assert.Equal(303, bounced.Status);
        var second = await party.Finish(request, await party.Browser.Get(bounced.Header("Location")));
        Assert.Equal((first.Subject, first.AuthTime), (second.Subject, second.AuthTime));
    }

    [Fact]
    [Trait("Module", "oidcc-ensure-post-request-succeeds")]
    public async Task A_posted_request_of_somebody_who_is_not_signed_in_comes_to_the_sign_in_page()
    {
        using var party = await Party();
        var request = party.Request();
        var page = await party.Browser.Follow(await party.Browser.Post("/connect/authorize", request));
        Assert.True(RelyingParty.IsSignIn(page), page.Body);
        await party.Finish(request, page);
    }

    [Fact]
    [Trait("Module", "oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported")]
    public async Task A_request_uri_is_refused_for_what_it_is_and_not_offered()
    {
        using var party = await Party();
        var request = party.Request(("request_uri", "https://suite.test/test/a/idp/request.jwt"));
        party.Refused(request, await party.Browser.Authorize(request), "request_uri_not_supported");
        Assert.False(party.Metadata["request_uri_parameter_supported"]!.GetValue<bool>());
        Assert.False(party.Metadata.ContainsKey("request_object_signing_alg_values_supported"));
    }

    [Fact]
    [Trait("Module", "oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported")]
    public async Task A_request_object_is_refused_for_what_it_is_and_not_offered()
    {
        using var party = await Party();
        var request = party.Request();
        request["request"] = Unsigned(request);
        party.Refused(request, await party.Browser.Authorize(request), "request_not_supported");
        Assert.False(party.Metadata["request_parameter_supported"]!.GetValue<bool>());
    }

    [Fact]
    [Trait("Module", "oidcc-ensure-request-object-with-redirect-uri")]
    public async Task A_good_address_inside_a_request_object_does_not_save_a_bad_one_outside()
    {
        using var party = await Party();
        var good = party.Request();
        var bad = party.Request(("redirect_uri", SuiteClient.First.RedirectUri + "/nope"));
        bad["request"] = Unsigned(good);
        CommonChecks.ErrorPage(await party.Browser.Authorize(bad));
    }

    private Task<RelyingParty> Party() => RelyingParty.Start(provider.Server, mode);

    private static string Unsigned(Dictionary<string, string> claims) =>
        $"{Base64Url.EncodeToString("""{"alg":"none"}"""u8)}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(System.Text.Json.JsonSerializer.Serialize(claims)))}.";
}

[Trait("Plan", "oidcc-basic")]
public sealed class BasicPlanRequests(ConformanceProvider provider) : RequestModules(provider, "query"), IClassFixture<ConformanceProvider>;

[Trait("Plan", "oidcc-formpost-basic")]
public sealed class FormPostPlanRequests(ConformanceProvider provider) : RequestModules(provider, "form_post"), IClassFixture<ConformanceProvider>;
