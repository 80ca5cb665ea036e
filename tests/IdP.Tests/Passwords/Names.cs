using System.Globalization;
using IdP.Testing;
using IdP.Tests.Support;
using Xunit;

namespace IdP.Tests.Passwords;

/// <summary>Which spellings of a name are the same name: the same on every database and in every culture.</summary>
public abstract class Names(ServerFixture fixture)
{
    private readonly IdpServer _server = fixture.Server;

    [Theory]
    [Trait("Case", "UNI-02")]
    [InlineData("istanbul", "ISTANBUL Istanbul iStAnBuL", "ıstanbul İstanbul İSTANBUL")]
    [InlineData("straße", "STRAßE Straße", "strasse STRASSE straẞe")]
    [InlineData("ὀδυσσεύς", "ὈΔΥΣΣΕΎΣ Ὀδυσσεύς ὀδυσσεύσ", "ΟΔΥΣΣΕΥΣ")]
    [InlineData("ﬁnn", "ﬁNN", "finn FINN")]
    [InlineData("caf\u00e9", "CAF\u00c9 cafe\u0301 CAFE\u0301", "cafe CAFE")]
    public async Task Names_are_compared_by_the_invariant_culture_only(string name, string same, string others)
    {
        await _server.AddUser(name, configure: u => u.NormalizedUserName = name.Normalize().ToUpper(CultureInfo.InvariantCulture));

        foreach (var spelling in same.Split(' ')) Assert.Equal(200, (await _server.PasswordGrant(spelling)).Status);
        foreach (var spelling in others.Split(' ')) Assert.Equal("invalid_grant", (await _server.PasswordGrant(spelling)).Error);
    }

    [Theory]
    [Trait("Case", "UNI-04")]
    [InlineData("%ED%A0%80"), InlineData("%F0%9F%98%80%E2%80%AE"), InlineData("%E2%80%8B"), InlineData("%EF%BF%BE"), InlineData("%00"), InlineData("a%CC%81a%CC%81a%CC%81")]
    public async Task Text_that_is_hard_to_handle_names_nobody(string encoded)
    {
        var request = Invariants.Raw("/connect/token", IdpServer.Basic("app", IdpServer.Secret).ToString(), $"grant_type=password&username={encoded}&password={encoded}&scope=items:read");

        // Half a surrogate pair is no UTF-8 at all.
        await _server.Refused(request, 400, encoded.StartsWith("%ED", StringComparison.Ordinal) ? "invalid_request" : "invalid_grant");
    }

    [Fact]
    [Trait("Case", "UNI-04")]
    public async Task Ten_thousand_combining_marks_name_nobody() =>
        await _server.Refused(400, "invalid_grant", "/connect/token", "app", ("grant_type", "password"), ("username", "a" + new string('\u0301', 10_000)), ("password", "x"), ("scope", "items:read"));
}

public sealed class NamesOnSqlite(SqliteServer fixture) : Names(fixture), IClassFixture<SqliteServer>;

public sealed class NamesOnPostgres(PostgresServer fixture) : Names(fixture), IClassFixture<PostgresServer>;
