using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using IdP.Audit;
using IdP.Protocol;
using IdP.Storage;

namespace IdP.Commands;

/// <summary>audit list, follow, export, verify.</summary>
internal static class AuditCommands
{
    private const int Shown = 50;

    public static Command Build() => new("audit", "What has happened: who did what to whom, when and from where") { List(), Follow(), Export(), Verify() };

    private static Command List()
    {
        var filter = new Filter();
        var command = new Command("list", $"List the newest {Shown} events that match, oldest first.\n\nExample: IdP audit list --type sign_in.* --since 2026-01-31T12:00:00Z");
        filter.AddTo(command);
        command.SetAction((parsed, ct) => CommandHost.Run(parsed, async context =>
        {
            var events = await AuditTrail.Newest(context.Get<Database>(), filter.Of(parsed), Shown, ct);
            context.Print(events.ConvertAll(View.Of), events.Count == 0 ? "No event matches." : Table.Of(["WHEN", "WHAT", "WHO", "WHOM", "WHERE"], events.ConvertAll(Cells)));
        }, ct));
        return command;
    }

    private static Command Follow()
    {
        var filter = new Filter();
        var command = new Command("follow", "Print events that match as they happen, one a line, until Ctrl-C.\n\nExample: IdP audit follow --type sign_in.*");
        filter.AddTo(command);
        command.SetAction((parsed, ct) => CommandHost.Run(parsed, async context =>
        {
            await foreach (var one in AuditTrail.Follow(context.Get<Database>(), filter.Of(parsed), context.Get<TimeProvider>(), ct))
                context.PrintLine(View.Of(one), Table.Line(Cells(one)));
        }, ct));
        return command;
    }

    private static Command Export()
    {
        var filter = new Filter();
        var command = new Command("export", "Print all events that match as JSON lines, oldest first.\n\nExample: IdP audit export --until 2026-01-01");
        filter.AddTo(command);
        command.SetAction((parsed, ct) => CommandHost.Run(parsed, async context =>
        {
            await foreach (var one in AuditTrail.All(context.Get<Database>(), filter.Of(parsed), ct)) context.PrintLine(View.Of(one), text: null);
        }, ct));
        return command;
    }

    private static Command Verify()
    {
        var expect = new Option<string?>("--expect") { Description = "A head that an earlier verify printed: it must be in the chain", HelpName = "NUMBER:HASH" };
        var command = new Command("verify",
            "Check the chain of hashes over the events, and say where it begins and how far it reaches. The head is worth keeping elsewhere: with --expect it shows whether the chain was cut off or made anew.\n\nExample: IdP audit verify") { expect };
        command.SetAction((parsed, ct) => CommandHost.Run(parsed, async context =>
        {
            var expected = Head(parsed.GetValue(expect));
            var verdict = await AuditChain.Verify(context.Get<Database>(), expected, ct);
            if (verdict.Problem is { } problem)
                throw new CommandException(ExitCodes.Failed, $"The audit is broken: {problem}. What comes before is as it was sealed.");
            var first = verdict.Beginning.Sequence + 1;
            if (expected?.Sequence < verdict.Beginning.Sequence)
                throw new CommandException(ExitCodes.Failed, $"The chain begins with event {first}, and the head that was kept lies before that, at {expected.Value.Sequence}: what was sealed then has been removed (Retention:AuditDays) and is in an export if anywhere. What is here is as it was sealed.");
            var head = Text(verdict.Sealed, verdict.Head);
            var beginning = first == 1 ? null : Text(verdict.Beginning.Sequence, verdict.Beginning.Hash);
            var start = beginning is null ? "from the first on" : $"from event {first} on, which follows {beginning}; what was before has been removed";
            var tail = verdict.Unsealed == 0 ? "Nothing is unsealed." : $"{verdict.Unsealed} events since {Table.Time(verdict.UnsealedSince)} are not sealed yet: a running server does it within seconds.";
            context.Print(new { Intact = true, verdict.Sealed, First = first, Beginning = beginning, Head = head, verdict.Unsealed, verdict.UnsealedSince },
                $"{verdict.Sealed - verdict.Beginning.Sequence} events are as they were sealed, {start}. The head is {head}. {tail}");
        }, ct));
        return command;
    }

    private static string Text(long sequence, byte[] hash) => $"{sequence}:{Convert.ToHexStringLower(hash)}";

    private static (long Sequence, byte[] Hash)? Head(string? text)
    {
        if (text is null) return null;
        var parts = text.Split(':');
        return parts.Length == 2 && long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 && parts[1].Length == 64 && parts[1].All(char.IsAsciiHexDigit)
            ? (number, Convert.FromHexString(parts[1]))
            : throw CommandException.Usage($"--expect is {PlainText.Quoted(text)}, and must be NUMBER:HASH as audit verify prints it.");
    }

    private static string?[] Cells(AuditEvent one) => [Table.Time(one.At), one.Type, one.Actor, one.Target, one.Address];

    private sealed record View(Guid Id, DateTimeOffset At, string Type, string Actor, string? Target, string? Address, JsonElement? Details, long? Sequence, string? Hash)
    {
        public static View Of(AuditEvent one) => new(one.Id, one.At, one.Type, one.Actor, one.Target, one.Address,
            one.Details is null ? null : JsonElement.Parse(one.Details), one.Sequence, one.Hash is null ? null : Convert.ToHexStringLower(one.Hash));
    }

    private sealed class Filter
    {
        private readonly Option<string?> _type = new("--type") { Description = "Only this type, or all that begin so: sign_in.*", HelpName = "TYPE" };
        private readonly Option<string?> _actor = new("--actor") { Description = "Only by this one: cli, server, client:ID or user:SUB", HelpName = "WHO" };
        private readonly Option<string?> _target = new("--target") { Description = "Only to this one, in the same form", HelpName = "WHOM" };
        private readonly Option<string?> _since = new("--since") { Description = "Only from this time on (ISO 8601, UTC unless it says otherwise)", HelpName = "TIME" };
        private readonly Option<string?> _until = new("--until") { Description = "Only before this time", HelpName = "TIME" };

        public void AddTo(Command command)
        {
            foreach (var option in (Option[])[_type, _actor, _target, _since, _until]) command.Add(option);
        }

        public AuditFilter Of(ParseResult parsed) =>
            new(parsed.GetValue(_type), parsed.GetValue(_actor), parsed.GetValue(_target), Time(parsed, _since), Time(parsed, _until));

        private static DateTimeOffset? Time(ParseResult parsed, Option<string?> option) => parsed.GetValue(option) switch
        {
            null => null,
            var text when DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) => time,
            var text => throw CommandException.Usage($"{option.Name} is {PlainText.Quoted(text)}, and must be a time such as 2026-01-31T12:00:00Z."),
        };
    }
}
