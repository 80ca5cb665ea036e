using System.Security.Cryptography;
using IdP.Keys;
using IdP.Protocol.Jose;
using IdP.Testing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace IdP.Storage.Tests.Keys;

public sealed class ClockOfANode
{
    [Fact]
    public async Task A_node_whose_clock_is_ahead_of_the_databases_can_use_the_keys_that_it_makes()
    {
        await using var database = await PostgresCluster.CreateDatabase();
        var options = new IdpOptions();
        (options.Storage.Provider, options.Storage.ConnectionString) = ("postgres", database.ConnectionString);
        options.Keys.MasterKey = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
        var clock = new TestClock();
        clock.Advance(TimeSpan.FromMinutes(5));
        var services = new ServiceCollection();
        services.AddSingleton(options);
        services.AddLogging();
        Server.AddCore(services, clock, isServing: false);
        await using var node = services.BuildServiceProvider();

        await Server.Open(node, CancellationToken.None);

        var keys = node.GetRequiredService<KeyRing>();
        Assert.NotNull(keys.Signer(SigningAlgorithms.ES256));
        Assert.NotEmpty(keys.Symmetric(KeyPurpose.Hash).Secret);
    }
}
