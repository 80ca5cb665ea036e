using IdP.Accounts;
using IdP.Testing;
using IdP.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Xunit;
using Xunit.Abstractions;

namespace IdP.Tests.Passwords;

/// <summary>Five wrong passwords within the window lock an account for callers that are not known; who asks learns nothing from it.</summary>
public abstract class Lockout(ServerFixture fixture, ITestOutputHelper output)
{
    private const int Limit = 5;
    private readonly IdpServer _server = fixture.Server;

    [Fact]
    [Trait("Case", "LGN-04")]
    public async Task After_five_wrong_passwords_the_right_one_is_refused_too_with_the_same_answer()
    {
        await _server.AddUser("anna");
        var unknown = await Wrong("there-is-no-such-person", "wrong");
        for (var i = 0; i < Limit; i++) Assert.Equal(unknown.Body, (await Wrong("anna", "wrong")).Body);

        Assert.Equal(unknown.Body, (await Wrong("anna", IdpServer.Password)).Body);
        Assert.Equal(unknown.Body, (await Wrong("anna", IdpServer.Password)).Body);
    }

    [Fact]
    [Trait("Case", "LGN-04")]
    public async Task The_count_is_in_the_database_and_holds_on_every_server_and_after_a_restart()
    {
        await _server.AddUser("berta");
        for (var i = 0; i < Limit - 1; i++) await Wrong("berta", "wrong");
        await using (var other = await fixture.StartAnother())
        {
            await Wrong("berta", "wrong", other);
            await Wrong("berta", IdpServer.Password, other);
        }

        await Wrong("berta", IdpServer.Password);
        await using var restarted = await fixture.StartAnother();
        await Wrong("berta", IdpServer.Password, restarted);
    }

    [Fact]
    public async Task A_success_gives_back_its_own_attempt_and_no_other()
    {
        await _server.AddUser("clara");
        for (var i = 0; i < Limit - 1; i++) await Wrong("clara", "wrong");
        for (var i = 0; i < 10; i++) Assert.Equal(200, (await _server.PasswordGrant("clara")).Status);
        await Wrong("clara", "wrong");

        await Wrong("clara", IdpServer.Password);
    }

    [Fact]
    [Trait("Case", "LGN-04")]
    public async Task Names_that_nobody_has_are_locked_alike()
    {
        for (var i = 0; i < Limit + 2; i++) await Wrong("nobody-at-all", "wrong");

        // It shows in nothing but the table of counters, and there only under a keyed hash.
        await using var db = _server.Database.OpenForReading();
        Assert.Contains(await db.Set<SignInAttempts>().Select(a => a.Failures).ToListAsync(), failures => failures == Limit);
        Assert.DoesNotContain(await _server.Text(), text => text.Contains("nobody-at-all", StringComparison.OrdinalIgnoreCase));
    }

    [Theory]
    [Trait("Case", "LGN-05")]
    [InlineData(true), InlineData(false)]
    public async Task Two_hundred_parallel_wrong_passwords_are_five_hashes_and_a_lock(bool exists)
    {
        var name = exists ? "dora" : "not-dora";
        if (exists) await _server.AddUser(name);
        var before = await Hashes();

        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => Retried(name, "wrong-" + i)));

        Assert.All(answers, answer => Assert.Equal((400, "invalid_grant"), (answer.Status, answer.Error)));
        // Each password that reached the hash has left an audit event.
        Assert.Equal(Limit, await Hashes() - before);
        await Wrong(name, IdpServer.Password);
        Assert.Equal(Limit, await Hashes() - before);
    }

    [Fact]
    [Trait("Case", "LGN-05")]
    public async Task Guesses_spread_over_two_servers_are_five_hashes_all_the_same()
    {
        await _server.AddUser("emma");
        await using var other = await fixture.StartAnother();
        var before = await Hashes();

        var answers = await Task.WhenAll(Enumerable.Range(0, 60).Select(i => Retried("emma", "wrong-" + i, i % 2 == 0 ? _server : other)));

        Assert.All(answers, answer => Assert.Equal("invalid_grant", answer.Error));
        Assert.Equal(Limit, await Hashes() - before);
    }

    [Fact]
    [Trait("Case", "LGN-06")]
    public async Task Every_spelling_of_a_name_and_the_address_share_one_count()
    {
        await _server.AddUser("frieda");
        string[] spellings = ["frieda", "FRIEDA", " Frieda ", "frieda@example.com", "FRIEDA@EXAMPLE.COM", "frieda\t", "frıeda", "ｆrieda"];
        for (var i = 0; i < Limit; i++) await Wrong(spellings[i], "wrong");

        foreach (var spelling in spellings) await Wrong(spelling, IdpServer.Password);
    }

    [Fact]
    public async Task People_who_sign_in_at_the_same_time_are_not_taken_for_an_attack()
    {
        // The first attempt of an account makes its counter; two at once must not lose one another.
        var names = Enumerable.Range(0, Volume.Of(output, full: 200, part: 20)).Select(i => "crowd-" + i).ToList();
        foreach (var name in names) await _server.AddUser(name);

        var answers = await Task.WhenAll(names.SelectMany(name => Enumerable.Range(0, 3).Select(_ => Retried(name, IdpServer.Password))));

        Assert.All(answers, answer => Assert.True(answer.Status == 200, answer.Body));
    }

    private async Task<Answer> Wrong(string name, string password, IdpServer? on = null) =>
        await (on ?? _server).Refused(400, "invalid_grant", "/connect/token", "app", ("grant_type", "password"), ("username", name), ("password", password), ("scope", "items:read"));

    /// <summary>The queue for hashes is short: who is told to wait tries again, as a client would.</summary>
    private async Task<Answer> Retried(string name, string password, IdpServer? on = null)
    {
        while (true)
        {
            var answer = await (on ?? _server).PasswordGrant(name, password);
            Invariants.Hold(answer);
            if (answer.Status != 503) return answer;
            await Task.Delay(20);
        }
    }

    private async Task<int> Hashes()
    {
        await using var db = _server.Database.OpenForReading();
        return await db.Set<Audit.AuditEvent>().CountAsync(e => e.Type == "sign_in.failed" || e.Type == "sign_in.locked");
    }
}

public sealed class LockoutOnSqlite(SqliteServer fixture, ITestOutputHelper output) : Lockout(fixture, output), IClassFixture<SqliteServer>
{
    private readonly IdpServer _server = fixture.Server;

    // Time is the database server's there, and no test moves that.
    [Fact]
    [Trait("Case", "LGN-04")]
    public async Task The_lock_ends_with_its_window()
    {
        await _server.AddUser("greta");
        for (var i = 0; i < 5; i++) Assert.Equal(400, (await _server.PasswordGrant("greta", "wrong")).Status);
        _server.Clock.Advance(TimeSpan.FromSeconds(890));
        Assert.Equal(400, (await _server.PasswordGrant("greta")).Status);

        _server.Clock.Advance(TimeSpan.FromSeconds(11));

        Assert.Equal(200, (await _server.PasswordGrant("greta")).Status);
    }
}

public sealed class LockoutOnPostgres(PostgresServer fixture, ITestOutputHelper output) : Lockout(fixture, output), IClassFixture<PostgresServer>;

public sealed class LockoutOnNodes(PostgresNodes fixture, ITestOutputHelper output) : Lockout(fixture, output), IClassFixture<PostgresNodes>;
