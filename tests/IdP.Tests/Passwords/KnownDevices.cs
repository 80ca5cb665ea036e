using IdP.Testing;
using IdP.Tests.Support;
using Xunit;

namespace IdP.Tests.Passwords;

/// <summary>Wrong passwords are counted apart for a browser that the account has signed in from before.</summary>
public sealed class KnownDevices(PageServer fixture) : IClassFixture<PageServer>
{
    private IdpServer Server => fixture.Server;

    [Fact]
    [Trait("Case", "LGN-04")]
    public async Task A_stranger_who_guesses_locks_out_strangers_and_not_the_owner()
    {
        await Server.AddUser("dora");
        using var own = new Browser(Server);
        Assert.Equal(303, (await own.Complete(new CodeFlow().Parameters(), "dora")).Status);

        using var stranger = new Browser(Server);
        var page = await stranger.Authorize(new CodeFlow().Parameters());
        for (var i = 0; i < 5; i++) page = await stranger.SignIn(page, "dora", "a wrong guess");
        Assert.Contains("id=\"problem\"", (await stranger.SignIn(page, "dora")).Body, StringComparison.Ordinal);

        var again = await own.Authorize(new CodeFlow { With = { ["prompt"] = "login" } }.Parameters());
        Assert.Equal(303, (await own.SignIn(again, "dora")).Status);
    }

    [Fact]
    [Trait("Case", "LGN-04")]
    public async Task A_device_of_ones_own_opens_no_other_account_s_count()
    {
        await Server.AddUser("erin");
        await Server.AddUser("mona");
        using var erin = new Browser(Server);
        var page = await erin.Complete(new CodeFlow().Parameters(), "erin");
        for (var i = 0; i < 5; i++)
        {
            page = await erin.Authorize(new CodeFlow { With = { ["prompt"] = "login" } }.Parameters());
            page = await erin.SignIn(page, "mona", "a wrong guess");
        }
        Assert.Contains("id=\"problem\"", (await erin.SignIn(page, "mona")).Body, StringComparison.Ordinal);
        using var other = new Browser(Server);
        var elsewhere = await other.Authorize(new CodeFlow().Parameters());
        Assert.Contains("id=\"problem\"", (await other.SignIn(elsewhere, "mona")).Body, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Case", "LGN-04")]
    public async Task The_owner_s_own_device_locks_as_well_after_too_many_wrong_passwords()
    {
        await Server.AddUser("nora");
        using var own = new Browser(Server);
        await own.Complete(new CodeFlow().Parameters(), "nora");
        var page = await own.Authorize(new CodeFlow { With = { ["prompt"] = "login" } }.Parameters());
        for (var i = 0; i < 5; i++) page = await own.SignIn(page, "nora", "a wrong guess");
        Assert.Contains("id=\"problem\"", (await own.SignIn(page, "nora")).Body, StringComparison.Ordinal);
    }
}
