using System.Diagnostics;
using IdP.Accounts;
using IdP.Testing;
using IdP.Tests.Support;
using Xunit;

namespace IdP.Tests.Passwords;

public sealed class PasswordText(SqliteServer fixture) : IClassFixture<SqliteServer>
{
    private readonly IdpServer _server = fixture.Server;

    public static TheoryData<string, string> Passwords => new()
    {
        { "64", new string('p', 64) },
        { "256", new string('p', 255) + "q" },
        { "nul", "before\0after" },
        { "emoji", "\ud83d\udc34\ud83d\udd0b staple" },
        { "leading", " leading and trailing " },
        { "combining", "pa\u0308ssword" },
        { "plus", "a+b%20c&d=e" },
        { "newline", "line\r\nline" },
        { "256-wide", new string('\u20ac', 256) },
    };

    [Theory, MemberData(nameof(Passwords))]
    [Trait("Case", "LGN-19")]
    public async Task A_password_is_taken_exactly_as_it_was_sent(string name, string password)
    {
        await _server.AddUser("text-" + name, password);

        Assert.Equal(200, (await _server.PasswordGrant("text-" + name, password)).Status);
        foreach (var other in (string[])[password[..^1], password + " ", " " + password, password.Trim() + "x", password.Normalize(System.Text.NormalizationForm.FormC) + "\0"])
            await _server.Refused(400, "invalid_grant", "/connect/token", "app", ("grant_type", "password"), ("username", "text-" + name), ("password", other), ("scope", "items:read"));
    }

    [Theory, InlineData(257), InlineData(1000), InlineData(4096), InlineData(60_000)]
    [Trait("Case", "LGN-19")]
    public async Task A_password_that_is_too_long_is_refused_before_anything_is_hashed(int length)
    {
        // Even one that begins with the right one: nothing is cut off.
        await _server.AddUser("long-" + length, new string('p', 256));
        var attempts = await _server.Count("SignInAttempts");
        var started = Stopwatch.GetTimestamp();

        await _server.Refused(400, "invalid_grant", "/connect/token", "app", ("grant_type", "password"), ("username", "long-" + length), ("password", new string('p', length)), ("scope", "items:read"));

        // The bound of the case is 50 ms of processor time; the factor is for a machine that does something else meanwhile.
        Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(1));
        Assert.Equal(attempts, await _server.Count("SignInAttempts"));
        Assert.Equal(200, (await _server.PasswordGrant("long-" + length, new string('p', 256))).Status);
    }

    [Fact]
    [Trait("Case", "LGN-19")]
    public async Task A_password_of_a_megabyte_is_413() =>
        await _server.Refused(413, "invalid_request", "/connect/token", "app", ("grant_type", "password"), ("username", "alice"), ("password", new string('p', 1_000_000)), ("scope", "items:read"));

    [Fact]
    public async Task No_password_is_stored_but_as_a_hash_with_its_parameters()
    {
        var user = await _server.AddUser("hashed", "a-Password-to-look-for");

        // Identity's format 3: PBKDF2, HMAC-SHA512 (2), the iterations of this server, 16 bytes of salt.
        var hash = Convert.FromBase64String(user.PasswordHash!);
        Assert.Equal((1, 2, 1000, 16), (hash[0], (int)Number(1), (int)Number(5), (int)Number(9)));
        Assert.DoesNotContain(await _server.Text(), text => text.Contains("a-Password-to-look-for", StringComparison.Ordinal));
        uint Number(int offset) => System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(hash.AsSpan(offset));
    }

    [Fact]
    public void The_default_is_the_recommended_count() => Assert.Equal(210_000, new IdpOptions().Passwords.Iterations);

    [Fact]
    public async Task A_weaker_hash_is_replaced_at_the_next_sign_in()
    {
        var weak = new HashPool(new IdpOptions { Passwords = { Iterations = 10 } });
        var hash = await weak.Hash("the-Password-stays");
        var user = await _server.AddUser("weak", configure: u => u.PasswordHash = hash);
        weak.Dispose();

        Assert.Equal(200, (await _server.PasswordGrant("weak", "the-Password-stays")).Status);

        await using var db = _server.Database.OpenForReading();
        var stored = (await db.Users.FindAsync(user.Id))!.PasswordHash!;
        Assert.NotEqual(hash, stored);
        Assert.Equal(200, (await _server.PasswordGrant("weak", "the-Password-stays")).Status);
    }
}
