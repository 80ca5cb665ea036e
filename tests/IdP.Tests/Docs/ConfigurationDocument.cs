using System.Reflection;
using System.Text;
using System.Xml.Linq;
using IdP.Testing;
using Xunit;

namespace IdP.Tests.Docs;

/// <summary>docs/CONFIGURATION.md is made from IdpOptions and its comments; IDP_WRITE_DOCS=1 writes it.</summary>
public sealed class ConfigurationDocument
{
    private static readonly string File = Path.Combine(ChildProcess.Repository, "docs", "CONFIGURATION.md");

    [Fact]
    public async Task The_committed_document_is_what_the_options_say()
    {
        var document = Document();
        if (Environment.GetEnvironmentVariable("IDP_WRITE_DOCS") == "1") await System.IO.File.WriteAllTextAsync(File, document);
        Assert.True(document == await System.IO.File.ReadAllTextAsync(File), "docs/CONFIGURATION.md is stale: run 'make docs'.");
    }

    private static string Document()
    {
        var text = new StringBuilder(
            """
            # Configuration

            Settings come from a JSON file (`--config FILE`), then from environment variables, then from the command line; the later wins.
            An environment variable is `IDP__` and the key with `__` between its parts, for example `IDP__Storage__Provider=postgres`; with
            `_FILE` at its end it names a file that holds the value. A key that is not in this list stops the start, which names the nearest
            one that is. Levels of the log come from `Serilog:MinimumLevel`, for example `IDP__Serilog__MinimumLevel__Default=Debug`.

            This page is made from `src/IdP/IdpOptions.cs` by `make docs`.

            | key | default | meaning |
            | --- | --- | --- |

            """);
        var comments = XDocument.Load(Path.Combine(AppContext.BaseDirectory, "IdP.xml")).Descendants("member").Where(m => m.Element("summary") is not null)
            .ToDictionary(m => m.Attribute("name")!.Value, m => string.Join(' ', m.Element("summary")!.Value.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)));
        Describe(text, comments, new IdpOptions(), "");
        return text.ToString();
    }

    private static void Describe(StringBuilder text, Dictionary<string, string> comments, object options, string path)
    {
        foreach (var property in options.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            var value = property.GetValue(options);
            if (property.PropertyType.Namespace == typeof(IdpOptions).Namespace) Describe(text, comments, value!, $"{path}{property.Name}:");
            else text.Append($"| `{path}{property.Name}` | {Shown(value)} | {comments[$"P:{property.DeclaringType!.FullName}.{property.Name}"]} |\n");
        }
    }

    private static string Shown(object? value) => value switch
    {
        null or "" => "",
        bool flag => flag ? "`true`" : "`false`",
        _ => $"`{value}`",
    };
}
