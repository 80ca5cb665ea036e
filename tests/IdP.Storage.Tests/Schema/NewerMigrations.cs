using IdP.Storage;
using Xunit;

namespace IdP.Storage.Tests.Schema;

/// <summary>Which databases of newer versions a program can work with: during an upgrade, and when one is taken back.</summary>
public sealed class NewerMigrations
{
    private static readonly string[] Known = ["20260101000000_First", "20260301000000_Second"];

    [Theory]
    [InlineData(null, "20260501000000_AddColumn")]
    // Taken away by the next version is what this one has ceased to use.
    [InlineData(null, "20260501000000_DropNames_After20260301000000")]
    [InlineData(null, "20260501000000_DropNames_After20260101000000")]
    // And by the one after it what the next has ceased to use.
    [InlineData("20260901000000_DropMore_After20260501000000", "20260501000000_AddColumn", "20260901000000_DropMore_After20260501000000")]
    [InlineData(null, "20260501000000_Look_After2026")]
    public void A_program_refuses_only_what_was_taken_away_after_its_next_version(string? refused, params string[] newer) =>
        Assert.Equal(refused, Migrator.Forbidding([.. Known, .. newer], Known));
}
