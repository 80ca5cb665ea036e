using System.Text.RegularExpressions;
using IdP.Testing;
using Xunit;

namespace IdP.Tests.Samples;

/// <summary>What the documents show of a program is what the program says; that it works is shown by the tests of the program.</summary>
public sealed partial class Snippets
{
    public static TheoryData<string, int, string, string> Blocks()
    {
        var blocks = new TheoryData<string, int, string, string>();
        foreach (var document in (string[])["README.md", "docs/protect-your-api.md"])
        {
            var text = File.ReadAllText(Path.Combine(ChildProcess.Repository, document));
            foreach (Match match in Block().Matches(text))
                blocks.Add(document, text[..match.Index].Count(c => c == '\n') + 1, match.Groups["file"].Value, match.Groups["code"].Value);
        }
        return blocks;
    }

    [Theory, MemberData(nameof(Blocks))]
    public void A_block_of_a_document_is_in_the_file_that_it_names(string document, int line, string file, string code)
    {
        var program = Unindented(File.ReadAllText(Path.Combine(ChildProcess.Repository, file)));

        // "..." leaves something out.
        foreach (var part in ("\n" + code).Split("\n...\n"))
            Assert.True(program.Contains(Unindented(part), StringComparison.Ordinal), $"{document} line {line}: {file} has no such lines:\n{part}");
    }

    private static string Unindented(string code) =>
        "\n" + string.Join('\n', code.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)) + "\n";

    [GeneratedRegex(@"^<!-- (?<file>\S+) -->\n```\w*\n(?<code>.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline, 1000)]
    private static partial Regex Block();
}
