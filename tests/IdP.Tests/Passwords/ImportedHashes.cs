using IdP.Accounts;
using IdP.Commands;
using IdP.Testing;
using IdP.Tests.Commands;
using IdP.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace IdP.Tests.Passwords;

/// <summary>People of other systems sign in with the passwords that they have, and their hashes become as strong as everybody's.</summary>
public sealed class ImportedHashes(SqliteServer fixture) : IClassFixture<SqliteServer>, IDisposable
{
    // Made by Python's hashlib in the formats of the systems.
    private const string Password = "imported-Pass-1";
    private readonly IdpServer _server = fixture.Server;
    private readonly Cli _cli = Cli.Beside(fixture.Server);

    public static TheoryData<string, string> Hashes => new()
    {
        { "passlib-sha256", "$pbkdf2-sha256$1200$yMnKy8zNzs/Q0dLT1NXW1w$xIr8lUCLrhnQaBIaKfK/NQLmHu9Tpg0MMNd1oI9wj/8" },
        { "passlib-sha512", "$pbkdf2-sha512$1200$yMnKy8zNzs/Q0dLT1NXW1w$rdU.TVAzw6bC1Jlf4oZLiAhnOc/SoThWIk1CK3r88SoFDUR4Z/BsKYQDKk3R1K41CSV4RBDJ/bfzT2Fx6WRPDw" },
        { "passlib-sha1", "$pbkdf2$1200$yMnKy8zNzs/Q0dLT1NXW1w$xQHe9T.qgm6TvZsbCBEqxsiA.o0" },
        { "django-sha256", "pbkdf2_sha256$1500$saltOfDjango$V0tUyUiSq0mwGtuWnonVIqKd0FZGvnLOVFyb0DU1WgA=" },
        { "django-sha1", "pbkdf2_sha1$1500$saltOfDjango$x0aNSHe2Mu2OxhGbkuQrVMg6ckE=" },
        { "werkzeug", "pbkdf2:sha256:900$werkzeugSalt$6633f1abf7e44b402fe64ebcc4d8c588618f966495de15cb97ac9b20b5f30aff" },
        { "identity-2", "AAABAgMEBQYHCAkKCwwNDg9/yOxWbhuKR3Sel2CkN4c/mn7T4f2iOggkHgdPp0vG4g==" },
        { "identity-3", "AQAAAAEAAAMgAAAAEAABAgMEBQYHCAkKCwwNDg9yXtsnjmcu+9nlYaR9a2P7fqLSx1vFJEk5FuFfGFpHEQ==" },
    };

    public void Dispose() => _cli.Dispose();

    [Theory, MemberData(nameof(Hashes))]
    public async Task An_imported_hash_is_checked_and_replaced_at_the_first_sign_in(string name, string hash)
    {
        await _cli.Done("user", "import", File($$"""{"user_name":"{{name}}","password_hash":"{{hash}}","email":"{{name}}@Example.COM","email_confirmed":true,"name":"From elsewhere"}"""));

        await _server.Refused(400, "invalid_grant", "/connect/token", "app", ("grant_type", "password"), ("username", name), ("password", Password + "x"), ("scope", "items:read"));
        Assert.Equal(hash, (await Stored(name)).PasswordHash);
        Assert.Equal(200, (await _server.PasswordGrant(name, Password)).Status);

        var stored = await Stored(name);
        var replaced = StoredHash.Read(stored.PasswordHash!)!;
        Assert.Equal((false, 1000, "SHA512"), (replaced.IsImported, replaced.Rounds, replaced.Algorithm.Name));
        Assert.Equal(($"{name}@example.com", true, "From elsewhere"), (stored.Email, stored.EmailConfirmed, stored.Name));
        Assert.Equal(200, (await _server.PasswordGrant($"{name}@example.com", Password)).Status);
    }

    [Theory]
    [InlineData("$2b$12$abcdefghijklmnopqrstuuXxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"), InlineData("plain-text"), InlineData(""), InlineData("$pbkdf2-sha256$0$c2FsdA$xIr8lUCLrhnQaBIaKfK/NQLmHu9Tpg0MMNd1oI9wj/8")]
    [InlineData("$pbkdf2-sha256$10000001$c2FsdA$xIr8lUCLrhnQaBIaKfK/NQLmHu9Tpg0MMNd1oI9wj/8"), InlineData("$pbkdf2-md5$1200$c2FsdA$xIr8lUCLrhnQaBIaKfK/NQLmHu9Tpg0MMNd1oI9wj/8")]
    [InlineData("pbkdf2_sha256$1500$salt$AAAA"), InlineData("pbkdf2:sha256:900$salt$xyz"), InlineData("AAAA"), InlineData("AQAAAAEAAAMgAAAA8AABAgMEBQYHCAkKCwwNDg9yXtsnjmcu+9nlYaR9a2P7fqLSx1vFJEk5FuFfGFpHEQ==")]
    public async Task A_hash_that_cannot_be_checked_is_refused_before_anybody_is_added(string hash)
    {
        var file = File("""{"user_name":"before-it"}""", $$"""{"user_name":"unknown-hash","password_hash":"{{hash}}"}""");

        await _cli.Refused(ExitCodes.Usage, "Line 2 has a password_hash in no format", "user", "import", file);
        await using var db = _server.Database.OpenForReading();
        Assert.False(await db.Users.AnyAsync(u => u.UserName == "before-it" || u.UserName == "unknown-hash"));
    }

    [Fact]
    public async Task A_line_that_breaks_a_rule_is_named_and_its_batch_is_not_added()
    {
        await _cli.Refused(ExitCodes.Conflict, "Line 2: There is a user 'Alice' already", "user", "import", File("""{"user_name":"in-vain"}""", """{"user_name":"Alice"}"""));
        await _cli.Refused(ExitCodes.Usage, "Line 1 is no JSON object", "user", "import", File("""{"user_name":"x","pasword_hash":"y"}"""));
        await _cli.Refused(ExitCodes.Usage, "Line 1 is no JSON object", "user", "import", File("""{"name":"x"}"""));
        await _cli.Refused(ExitCodes.Usage, "Line 1 is no JSON object", "user", "import", File("""{"user_name":null}"""));
        await _cli.Refused(ExitCodes.Usage, "Line 3 has email_confirmed without email", "user", "import", File("""{"user_name":"x"}""", "", """{"user_name":"y","email_confirmed":true}"""));
        await _cli.Refused(ExitCodes.Usage, "cannot be read", "user", "import", "/no/such/file");
        await using var db = _server.Database.OpenForReading();
        Assert.False(await db.Users.AnyAsync(u => u.UserName == "in-vain"));
    }

    [Fact]
    public async Task An_import_that_stopped_goes_on_where_it_was()
    {
        var lines = Enumerable.Range(0, 120).Select(i => $$"""{"user_name":"many-{{i}}","disabled":{{(i == 7 ? "true" : "false")}}}""").ToArray();
        await _cli.Refused(ExitCodes.Conflict, "After 100 users were added", "user", "import", File([.. lines[..119], """{"user_name":"bob"}"""]));

        var done = await _cli.Json("user", "import", File(lines), "--skip-existing");

        Assert.Equal((20, 100), (done.GetProperty("added").GetInt32(), done.GetProperty("skipped").GetInt32()));
        Assert.NotNull((await Stored("many-7")).DisabledAt);
        Assert.Null((await Stored("many-8")).DisabledAt);
    }

    private string File(params string[] lines) => _cli.WriteFile("users.jsonl", string.Join('\n', lines));

    private async Task<User> Stored(string name)
    {
        await using var db = _server.Database.OpenForReading();
        return await db.Users.SingleAsync(u => u.UserName == name);
    }
}
