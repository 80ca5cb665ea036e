using System.Text.RegularExpressions;
using IdP.Testing;
using Xunit;

namespace IdP.Tests.Docs;

/// <summary>docs/clients.md shows lines of the programs that the interop tests run.</summary>
public sealed partial class ClientsDocument
{
    [Theory]
    [InlineData("tests/interop/javascript/openid-client.mjs")]
    [InlineData("tests/interop/javascript/spa/app.js")]
    [InlineData("tests/interop/aspnetcore/Program.cs")]
    [InlineData("tests/interop/mod_auth_openidc/httpd.conf")]
    public async Task Its_snippets_are_the_tested_ones(string file)
    {
        var document = await File.ReadAllTextAsync(Path.Combine(ChildProcess.Repository, "docs", "clients.md"));
        var tested = (await File.ReadAllLinesAsync(Path.Combine(ChildProcess.Repository, file))).Select(line => line.Trim()).ToHashSet(StringComparer.Ordinal);

        var snippet = Assert.Single(Snippets().Matches(document), match => match.Groups["file"].Value == file).Groups["lines"].Value;

        var lines = snippet.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Where(line => !line.StartsWith("//", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(lines);
        Assert.All(lines, line => Assert.Contains(line, tested));
    }

    [GeneratedRegex("<!-- from (?<file>\\S+) -->\\n```\\w+\\n(?<lines>.*?)\\n```", RegexOptions.Singleline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Snippets();
}
