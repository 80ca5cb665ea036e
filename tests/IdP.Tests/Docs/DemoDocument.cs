using IdP.Testing;
using Xunit;

namespace IdP.Tests.Docs;

/// <summary>What README.md says of the demo.</summary>
public sealed class DemoDocument
{
    [Fact]
    public async Task The_demo_keeps_its_data_where_the_documents_look_for_it()
    {
        var command = await ChildProcess.Run(["make", "-n", "run"], ChildProcess.Repository);
        // `dotnet run` starts the program in the project's folder, so a relative path would be one in there.
        Assert.Contains($"--data \"{ChildProcess.Repository}/artifacts/demo\"", command, StringComparison.Ordinal);
    }
}
