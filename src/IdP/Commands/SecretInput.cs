using System.CommandLine;
using System.Text;

namespace IdP.Commands;

/// <summary>The options by which a person hands over a secret or a password, and reading it from where they point.</summary>
internal sealed class SecretInput
{
    // Far more than the longest secret; a file of gigabytes is a mistake, not a secret.
    private const int MostCharacters = 4096;
    private readonly Option<string?> _inline;
    private readonly Option<string?> _file;
    private readonly Option<bool>? _stdin;

    /// <param name="what">What is read: secret or password.</param>
    /// <param name="otherwise">What happens when none is given.</param>
    /// <param name="hasStdin">Whether there is an option for standard input.</param>
    public SecretInput(string what, string otherwise, bool hasStdin)
    {
        _file = new($"--{what}-file") { Description = $"File with the {what}{otherwise}", HelpName = "FILE" };
        _inline = new($"--{what}") { Description = $"The {what} itself; others on this machine can see it in the process list: prefer --{what}-file", HelpName = what.ToUpperInvariant() };
        if (hasStdin) _stdin = new($"--{what}-stdin") { Description = $"Read the {what} from standard input" };
    }

    public void AddTo(Command command)
    {
        command.Add(_file);
        command.Add(_inline);
        if (_stdin is not null) command.Add(_stdin);
    }

    /// <summary>The secret, without the line break at its end; null when none is given.</summary>
    public async Task<string?> Read(ParseResult parsed)
    {
        var (inline, file, stdin) = (parsed.GetValue(_inline), parsed.GetValue(_file), _stdin is not null && parsed.GetValue(_stdin));
        var given = (inline is null ? 0 : 1) + (file is null ? 0 : 1) + (stdin ? 1 : 0);
        if (given > 1) throw CommandException.Usage($"Give only one of {Names}.");
        if (stdin) return await Read(Console.OpenStandardInput(), "Standard input");
        if (file is null) return inline;
        try
        {
            return await Read(File.OpenRead(file), $"The file {file}");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw CommandException.Usage($"The file {file} cannot be read: correct {_file.Name}, or give this user read access to it.");
        }
    }

    public async Task<string> Require(ParseResult parsed) => await Read(parsed) ?? throw CommandException.Usage($"Give one of {Names}.");

    private string Names => string.Join(", ", _stdin is null ? [_file.Name, _inline.Name] : (string[])[_file.Name, _stdin.Name, _inline.Name]);

    private static async Task<string> Read(Stream source, string where)
    {
        using var reader = new StreamReader(source, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true));
        var buffer = new char[MostCharacters + 1];
        try
        {
            var length = await reader.ReadBlockAsync(buffer);
            var text = new string(buffer, 0, length);
            return text.EndsWith("\r\n", StringComparison.Ordinal) ? text[..^2] : text.EndsWith('\n') ? text[..^1] : text;
        }
        catch (DecoderFallbackException)
        {
            throw CommandException.Usage($"{where} is not UTF-8 text: save it as UTF-8.");
        }
    }
}
