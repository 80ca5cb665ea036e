using IdP.Keys;
using Microsoft.Extensions.DependencyInjection;

namespace IdP.Tests.Commands;

/// <summary>The core of the server on a folder, without endpoints: what tests look into after a command.</summary>
internal sealed class Offline : IDisposable
{
    private readonly ServiceProvider _services;

    private Offline(ServiceProvider services) => _services = services;

    public T Get<T>() where T : notnull => _services.GetRequiredService<T>();

    public static async Task<Offline> Open(string data)
    {
        var services = new ServiceCollection();
        services.AddSingleton(new IdpOptions { Storage = { DataDirectory = data }, Passwords = { Iterations = 1000 } });
        services.AddLogging();
        Server.AddCore(services, TimeProvider.System, isServing: false);
        var provider = services.BuildServiceProvider();
        await provider.GetRequiredService<KeyRing>().Open(CancellationToken.None);
        return new Offline(provider);
    }

    public void Dispose() => _services.Dispose();
}
