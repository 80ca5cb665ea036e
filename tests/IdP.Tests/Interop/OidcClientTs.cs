using Xunit;

namespace IdP.Tests.Interop;

/// <summary>oidc-client-ts in an app of its own origin, in Chromium (tests/interop/javascript/oidc-client-ts.mjs). Its console must stay silent.</summary>
[Collection(InteropCollection.Name)]
public sealed class OidcClientTs(InteropProvider provider)
{
    [Fact]
    public Task A_person_signs_in_and_the_app_reads_userinfo_across_origins() => Run("sign-in");

    [Fact]
    public Task Tokens_are_renewed_by_refresh_token_before_they_end() => Run("renewal");

    [Fact]
    public Task Who_denies_comes_back_with_the_refusal() => Run("refusal");

    [Fact]
    public Task Tokens_are_revoked_and_the_person_is_signed_in_still() => Run("revocation");

    [Fact]
    public Task Signing_out_leads_back_and_the_next_sign_in_asks_for_the_password() => Run("sign-out");

    private Task Run(string scenario) => provider.Script("oidc-client-ts.mjs", scenario, "spa", "/", secret: null);
}
