using IdP.Testing;
using IdP.Tests.Support;
using Xunit;
using Xunit.Abstractions;

namespace IdP.Tests.Durability;

/// <summary>The faults of tests/faults that are short enough to be met at every run of the tests; `make test-faults` runs all of them at length.</summary>
public sealed class Faults(ITestOutputHelper output)
{
    [Theory]
    [InlineData("connections-cut.sh", "EACH=2")]
    [InlineData("stopping.sh", "SIGN_INS=40")]
    [InlineData("database-away.sh", "AWAY=4", "FAMILIES=3", "CODERS=1")]
    [InlineData("killed.sh postgres", "ROUNDS=1", "EACH=1", "FAMILIES=3", "CODERS=1")]
    [Trait("Case", "REV-04")]
    public Task The_server_survives(string script, params string[] sizes) => Survives(script, sizes);

    [SmallDiskFact]
    [Trait("Case", "REV-04")]
    public Task The_server_survives_a_full_disk() => Survives("disk-full.sh", "ROUNDS=1");

    private async Task Survives(string script, params string[] sizes)
    {
        var environment = sizes.Select(size => size.Split('=')).Concat([["IDP_PROGRAM", ChildProcess.Provider[^1]], ["SAMPLE", "50"]]).ToDictionary(pair => pair[0], pair => pair[1]);
        var command = script.Split(' ');
        var ended = await ChildProcess.RunToEnd([Path.Combine(ChildProcess.Repository, "tests", "faults", command[0]), .. command[1..]], environment: environment);
        output.WriteLine(ended.Output);
        Assert.True(ended.ExitCode == 0, ended.Output + ended.Error);
        Assert.EndsWith("ok\n", ended.Output, StringComparison.Ordinal);
    }
}
