using System.CommandLine;
using IdP.Commands;
using Xunit;

namespace IdP.Tests.Commands;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData("'IdP' needs a command")]
    [InlineData("'IdP' has no command 'sevre'", "sevre")]
    [InlineData("'IdP serve' has no option '--dmeo': use --demo", "serve", "--dmeo")]
    [InlineData("'IdP client' needs a command, one of add, list, show, disable, enable, secret", "client")]
    [InlineData("'IdP client' has no command 'remove'", "client", "remove")]
    [InlineData("'IdP client add' has no option '--scpoe': use --scope", "client", "add", "x", "--scpoe", "y")]
    [InlineData("'IdP client show' takes no 'y'", "client", "show", "x", "y")]
    [InlineData("see 'IdP client show --help'", "client", "show")]
    [InlineData("see 'IdP client list --help'", "client", "list", "--data")]
    [InlineData("see 'IdP serve --help'", "serve", "--urls")]
    public async Task What_is_wrong_is_said_in_one_sentence(string text, params string[] arguments)
    {
        var ran = await Run(arguments);

        Assert.Equal(ExitCodes.Usage, ran.ExitCode);
        Assert.Contains(text, ran.Error, StringComparison.Ordinal);
        ran.AssertOneSentence();
    }

    [Fact]
    public async Task Every_command_has_help_with_an_example_that_it_understands()
    {
        var leaves = new List<string[]>();
        Collect(CommandLine.Root(), []);
        Assert.True(leaves.Count >= 20, "there are more commands than that");
        foreach (var path in leaves)
        {
            var help = (await Run([.. path, "--help"])).Output;
            var described = help[..help.IndexOf("Usage:", StringComparison.Ordinal)];
            var examples = described.Split('\n').Select(line => line.Trim().Replace("Example: ", "", StringComparison.Ordinal)).Where(line => line.StartsWith("IdP ", StringComparison.Ordinal)).ToList();
            Assert.NotEmpty(examples);
            foreach (var words in examples.Select(example => Words(example["IdP ".Length..])))
            {
                Assert.Equal(path, words[..path.Length]);
                Assert.Empty(CommandLine.Root().Parse(words).Errors);
            }
        }

        void Collect(Command command, string[] path)
        {
            if (command.Subcommands.Count == 0) leaves.Add(path);
            foreach (var sub in command.Subcommands) Collect(sub, [.. path, sub.Name]);
        }
    }

    [Fact]
    public async Task The_help_of_the_program_has_the_exit_codes()
    {
        var help = (await Run("--help")).Output;

        foreach (var code in (int[])[ExitCodes.Ok, ExitCodes.Failed, ExitCodes.Usage, ExitCodes.NotFound, ExitCodes.Conflict])
            Assert.Contains($"  {code}  ", help, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("client", "add")]
    [InlineData("client", "secret")]
    [InlineData("user", "add")]
    [InlineData("user", "password")]
    public async Task The_help_warns_of_secrets_on_the_command_line(string noun, string verb) =>
        Assert.Contains("process list", (await Run(noun, verb, "--help")).Output, StringComparison.Ordinal);

    private static async Task<Ran> Run(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        return new Ran(await CommandLine.Run(arguments, output, error), output.ToString(), error.ToString());
    }

    private static string[] Words(string line) => line.Split('"').SelectMany((part, i) => i % 2 == 1 ? [part] : part.Split(' ', StringSplitOptions.RemoveEmptyEntries)).ToArray();
}
