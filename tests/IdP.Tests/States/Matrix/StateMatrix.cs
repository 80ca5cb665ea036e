using System.Numerics;
using System.Text;
using IdP.Testing;
using IdP.Tests.Support;
using IdP.Tests.Upstream;
using Xunit;
using Xunit.Abstractions;

namespace IdP.Tests.States.Matrix;

/// <summary>
/// Every change that takes rights away against every path: what hangs on what was taken refuses at once, and everything else goes on. The
/// expected answer of a cell follows from what the change takes and what the path needs, so a new change or path is one line of its table.
/// </summary>
[Trait("Case", "STA-01")]
[Trait("Case", "STA-02")]
[Trait("Case", "STA-03")]
[Trait("Case", "STA-04")]
[Trait("Case", "STA-05")]
[Trait("Case", "STA-06")]
[Trait("Case", "STA-07")]
[Trait("Case", "STA-08")]
[Trait("Case", "STA-09")]
[Trait("Case", "STA-11")]
[Trait("Case", "STA-12")]
public abstract class StateMatrix(ServerFixture fixture, OtherProvider other, ITestOutputHelper output)
{
    public static TheoryData<string> Rows { get; } = [.. Changes.All.Select(change => change.Name)];

    [Theory, MemberData(nameof(Rows))]
    public async Task What_a_change_takes_is_gone_on_every_path_and_nothing_else(string name)
    {
        var change = Changes.All.Single(row => row.Name == name);
        using var world = await World.Make(fixture.Server, other);
        var tries = new List<Func<Task<bool>>>();
        foreach (var path in Paths.All) tries.Add(await path.Begin(world));

        await change.Make(world);

        var (report, wrong) = (new StringBuilder(), 0);
        for (var i = 0; i < tries.Count; i++)
        {
            var (path, works) = (Paths.All[i], await tries[i]());
            var isExpected = works == ((path.Needs & change.Takes) == Right.None);
            if (!isExpected) wrong++;
            report.AppendLine($"{(isExpected ? "  " : "! ")}{path.Name}: {(works ? "works" : "refuses")}");
        }
        output.WriteLine(report.ToString());
        Assert.True(wrong == 0, $"{name}:\n{report}");
    }

    [Fact]
    public void Every_path_needs_something_every_change_takes_something_and_nothing_is_named_for_nothing()
    {
        Assert.All(Paths.All, path => Assert.NotEqual(Right.None, path.Needs));
        Assert.All(Changes.All.Skip(1), change => Assert.NotEqual(Right.None, change.Takes));
        var (needed, taken) = (Paths.All.Aggregate(Right.None, (all, path) => all | path.Needs), Changes.All.Aggregate(Right.None, (all, change) => all | change.Takes));
        foreach (var right in Enum.GetValues<Right>().Where(right => BitOperations.IsPow2((int)right))) Assert.True(needed.HasFlag(right) && taken.HasFlag(right), $"{right}");
        Assert.Distinct(Paths.All.Select(path => path.Name));
        Assert.Distinct(Changes.All.Select(change => change.Name));
    }
}

public sealed class StateMatrixOnSqlite(SqliteServer fixture, OtherProviderOfFixture other, ITestOutputHelper output)
    : StateMatrix(fixture, other.For(fixture), output), IClassFixture<SqliteServer>, IClassFixture<OtherProviderOfFixture>;

public sealed class StateMatrixOnPostgres(PostgresServer fixture, OtherProviderOfFixture other, ITestOutputHelper output)
    : StateMatrix(fixture, other.For(fixture), output), IClassFixture<PostgresServer>, IClassFixture<OtherProviderOfFixture>;

public sealed class StateMatrixOnNodes(PostgresNodes fixture, OtherProviderOfFixture other, ITestOutputHelper output)
    : StateMatrix(fixture, other.For(fixture), output), IClassFixture<PostgresNodes>, IClassFixture<OtherProviderOfFixture>;
