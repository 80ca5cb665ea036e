using IdP.Testing;
using Xunit;

namespace IdP.Tests.Support;

/// <summary>One server over TLS for the tests of a class that walk through pages.</summary>
public sealed class PageServer : IAsyncLifetime
{
    internal IdpServer Server { get; private set; } = null!;

    public async Task InitializeAsync() => Server = await IdpServer.Start(https: true);

    public async Task DisposeAsync() => await Server.DisposeAsync();
}
