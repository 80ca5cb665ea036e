using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using IdP.Accounts;
using IdP.Storage;

namespace IdP.Commands;

/// <summary>user import: accounts of another system with their password hashes.</summary>
internal static class UserImport
{
    // A batch is one transaction: a running server waits no longer for it than for a few sign-ins.
    private const int Batch = 50;

    public static Command Build()
    {
        var file = new Argument<string>("FILE") { Description = "Lines of JSON, one for each user: user_name, and any of password_hash, email, email_confirmed, name, given_name, family_name, locale, phone_number, disabled" };
        var skip = new Option<bool>("--skip-existing") { Description = "Leave out users whose name exists already" };
        var command = new Command("import",
            """
            Add the users of another system. Their passwords stay as they are: hashes of ASP.NET Core Identity, passlib ($pbkdf2-sha256$), Django (pbkdf2_sha256$) and
            Werkzeug (pbkdf2:sha256:) are taken, and replaced by stronger ones when their owners sign in. Without a hash nobody signs in by password.

            Example: IdP user import users.jsonl
            """) { file, skip };
        command.SetAction((parsed, ct) => CommandHost.Run(parsed, async context =>
        {
            var lines = Read(parsed.GetRequiredValue(file));
            var (added, skipped) = (0, 0);
            foreach (var batch in lines.Chunk(Batch))
            {
                try
                {
                    var now = await context.Change(db => Add(db, context, batch, parsed.GetValue(skip), ct));
                    (added, skipped) = (added + now, skipped + batch.Length - now);
                }
                catch (ChangeRefusedException refused) when (added > 0)
                {
                    throw refused.In($"After {added} users were added (correct the line and go on with --skip-existing)");
                }
            }
            context.Print(new { Added = added, Skipped = skipped }, $"Added {added} users{(skipped > 0 ? $", left out {skipped} that exist" : "")}.");
        }, ct));
        return command;
    }

    private static async Task<int> Add(IdpDbContext db, CommandContext context, (int Number, Line Line)[] batch, bool skipExisting, CancellationToken ct)
    {
        var added = 0;
        foreach (var (number, line) in batch)
        {
            if (skipExisting && await UserStatements.Exists(db, line.UserName, ct)) continue;
            try
            {
                await context.Get<UserStatements>().Add(db, line.ToUser(context.Get<TimeProvider>().GetUtcNow()), line.Password, CommandContext.Actor, ct);
                added++;
            }
            catch (ChangeRefusedException refused)
            {
                throw refused.In($"Line {number}");
            }
        }
        return added;
    }

    /// <summary>The whole file, so that a mistake in its form is found before anything is added.</summary>
    private static List<(int Number, Line Line)> Read(string file)
    {
        var (lines, number) = (new List<(int, Line)>(), 0);
        try
        {
            foreach (var text in File.ReadLines(file))
            {
                number++;
                if (string.IsNullOrWhiteSpace(text)) continue;
                var line = JsonSerializer.Deserialize(text, LineJson.Default.Line) ?? throw new JsonException();
                if (line is { PasswordHash: not null, Password: null })
                    throw CommandException.Usage($"Line {number} has a password_hash in no format that can be checked here: take one of ASP.NET Core Identity, passlib, Django or Werkzeug (PBKDF2), or leave it out.");
                if (line is { EmailConfirmed: true, Email: null }) throw CommandException.Usage($"Line {number} has email_confirmed without email: give the address too.");
                lines.Add((number, line));
            }
        }
        catch (JsonException)
        {
            // Not its message: that can quote a hash.
            throw CommandException.Usage($"Line {number} is no JSON object with user_name and other known members: look at 'user import --help'.");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw CommandException.Usage($"The file {file} cannot be read: correct its name, or give this user read access to it.");
        }
        return lines;
    }

    internal sealed record Line
    {
        public required string UserName { get; init; }
        public string? PasswordHash { get; init; }
        public string? Email { get; init; }
        public bool EmailConfirmed { get; init; }
        public string? Name { get; init; }
        public string? GivenName { get; init; }
        public string? FamilyName { get; init; }
        public string? Locale { get; init; }
        public string? PhoneNumber { get; init; }
        public bool Disabled { get; init; }

        [JsonIgnore]
        public HashedPassword? Password => PasswordHash is null ? null : HashedPassword.Imported(PasswordHash);

        public User ToUser(DateTimeOffset now) => new()
        {
            UserName = UserName, Email = Email, EmailConfirmed = EmailConfirmed, Name = Name, GivenName = GivenName, FamilyName = FamilyName, Locale = Locale, PhoneNumber = PhoneNumber,
            DisabledAt = Disabled ? now : null,
        };
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(UserImport.Line))]
internal sealed partial class LineJson : JsonSerializerContext;
