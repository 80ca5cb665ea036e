using System.CommandLine;
using IdP.Storage;

namespace IdP.Commands;

/// <summary>doctor: is everything as it should be, and what to do where it is not.</summary>
internal static class DoctorCommand
{
    public static Command Build()
    {
        var settings = new ServerSettings();
        var command = new Command("doctor",
            "Examine the database (is it whole, has it what this program wants), the keys, the clocks, the audit, what waits to be sent, files, disk and certificate; changes nothing, and may run beside servers. Each finding says what to do. The exit code is 1 when there is a problem.\n\nExample: IdP doctor --data ./data");
        settings.AddTo(command);
        command.SetAction((parsed, ct) => CommandHost.Explained(parsed, async () =>
        {
            var (options, _) = Settings.Load(parsed.GetValue(CommandHost.Config), settings.Overrides(parsed));
            var found = await DoctorChecks.Examine(options, TimeProvider.System, ct);
            CommandContext.Print(parsed, found.ConvertAll(one => new { Level = Word(one.Level), one.About, one.Text }),
                string.Join(Environment.NewLine, found.Select(one => $"{Word(one.Level),-7}  {one.About}: {one.Text}")));
            return found.Exists(one => one.Level == HealthLevel.Problem) ? ExitCodes.Failed : ExitCodes.Ok;
        }));
        return command;
    }

    private static string Word(HealthLevel level) => level switch
    {
        HealthLevel.Ok => "ok",
        HealthLevel.Note => "note",
        _ => "problem",
    };
}
