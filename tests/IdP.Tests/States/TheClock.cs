using IdP.Storage;
using IdP.Testing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace IdP.Tests.States;

public sealed class TheClock
{
    [Fact]
    [Trait("Case", "REF-11")]
    public async Task A_clock_that_was_set_back_does_not_revive_what_has_expired()
    {
        var folder = Directory.CreateTempSubdirectory("idp-test-").FullName;
        string token;
        await using (var server = await IdpServer.StartEmpty(options => options.Issuer = "https://login.example", folder))
        {
            await server.Seed();
            token = (await server.ClientCredentials()).AccessToken;
            server.Clock.Advance(TimeSpan.FromHours(2));
            await server.App.Services.GetRequiredService<ChangePoll>().Ask(CancellationToken.None);
            Assert.False((await server.Introspect(token)).Active);
            // Two hours back, in a running server: time stands still instead.
            server.Clock.Advance(TimeSpan.FromHours(-2));
            await server.App.Services.GetRequiredService<ChangePoll>().Ask(CancellationToken.None);
            Assert.False((await server.Introspect(token)).Active);
            Assert.True((await server.Introspect((await server.ClientCredentials()).AccessToken)).Active);
        }

        await using (var restarted = await IdpServer.StartEmpty(options => options.Issuer = "https://login.example", folder))
        {
            Assert.False((await restarted.Introspect(token)).Active);
            Assert.True((await restarted.Introspect((await restarted.ClientCredentials()).AccessToken)).Active);
        }
        Directory.Delete(folder, recursive: true);
    }
}
