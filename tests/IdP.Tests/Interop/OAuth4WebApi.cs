using Xunit;

namespace IdP.Tests.Interop;

/// <summary>oauth4webapi (tests/interop/javascript/oauth4webapi.mjs), which refuses every answer that a specification does not allow.</summary>
[Collection(InteropCollection.Name)]
public sealed class OAuth4WebApi(InteropProvider provider)
{
    [Fact]
    public Task A_person_signs_in_and_the_tokens_are_used_refreshed_and_revoked() => Run("sign-in");

    [Fact]
    public Task Both_addresses_of_the_metadata_tell_the_same() => Run("oauth-discovery");

    [Fact]
    public Task Pushed_requests_rotation_ES256_and_signed_userinfo() => Run("strict", "strict");

    [Fact]
    public Task Client_authentication_and_a_code_that_is_used_twice() => Run("client-authentication");

    private Task Run(string scenario, string clientId = "web") => provider.Script("oauth4webapi.mjs", scenario, clientId, "/callback");
}
