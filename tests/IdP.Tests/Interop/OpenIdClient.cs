using Xunit;

namespace IdP.Tests.Interop;

/// <summary>openid-client (tests/interop/javascript/openid-client.mjs), a certified relying party for Node.</summary>
[Collection(InteropCollection.Name)]
public sealed class OpenIdClient(InteropProvider provider)
{
    [Fact]
    public Task A_person_signs_in_and_the_tokens_are_used_refreshed_and_revoked() => Run("sign-in");

    [Fact]
    public Task The_answer_arrives_by_form_post() => Run("form-post");

    [Fact]
    public Task The_request_is_pushed_first() => Run("pushed");

    [Fact]
    public Task Signed_in_once_is_signed_in_until_the_app_asks_for_more() => Run("single-sign-on");

    [Fact]
    public Task Refusals_are_understood_and_forged_answers_refused() => Run("refusals");

    [Fact]
    public Task Signing_out_leads_back_and_ends_session_and_tokens() => Run("sign-out");

    private Task Run(string scenario) => provider.Script("openid-client.mjs", scenario, "web", "/callback");
}
