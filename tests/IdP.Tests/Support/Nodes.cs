using IdP.Testing;

namespace IdP.Tests.Support;

/// <summary>Several servers on one database, the fixture's own among them.</summary>
internal sealed class Nodes : IAsyncDisposable
{
    private readonly List<IdpServer> _started = [];

    private Nodes(IdpServer first) => All = [first];

    public List<IdpServer> All { get; }

    /// <summary>One after the other, round and round.</summary>
    public IdpServer this[int i] => All[i % All.Count];

    public static async Task<Nodes> Start(ServerFixture fixture, int count)
    {
        var nodes = new Nodes(fixture.Server);
        for (var i = 1; i < count; i++)
        {
            var another = await fixture.StartAnother();
            nodes._started.Add(another);
            nodes.All.Add(another);
        }
        return nodes;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _started) await server.DisposeAsync();
    }
}
