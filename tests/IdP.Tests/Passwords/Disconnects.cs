using IdP.Accounts;
using IdP.Testing;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace IdP.Tests.Passwords;

/// <summary>A caller that hangs up in the middle of a sign-in.</summary>
public sealed class Disconnects
{
    [Fact]
    public async Task Hanging_up_during_right_passwords_locks_nobody_out()
    {
        // Hashes that take long enough to hang up during them.
        await using var server = await IdpServer.Start(options => options.Passwords.Iterations = 150_000);
        await server.AddUser("ines");
        for (var i = 0; i < 8; i++)
        {
            using var hangUp = new CancellationTokenSource();
            var sent = server.Http.PostAsync("/connect/token", new FormUrlEncodedContent(new Dictionary<string, string>
            {
                ["grant_type"] = "password", ["username"] = "ines", ["password"] = IdpServer.Password, ["scope"] = "items:read",
                ["client_id"] = "app", ["client_secret"] = IdpServer.Secret,
            }), hangUp.Token);
            while (!sent.IsCompleted && !await AnyReserved(server)) await Task.Delay(2);
            await hangUp.CancelAsync();
            // On a slow machine the answer may have been faster than the look.
            if (!sent.IsCompletedSuccessfully) await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sent);
            for (var wait = 0; wait < 500 && await AnyReserved(server); wait++) await Task.Delay(20);
            Assert.False(await AnyReserved(server), "the attempt of a right password was not given back");
        }
        Assert.Equal(200, (await server.PasswordGrant("ines")).Status);
    }

    private static async Task<bool> AnyReserved(IdpServer server)
    {
        await using var db = server.Database.OpenForReading();
        return await db.Set<SignInAttempts>().AnyAsync(a => a.Failures > 0);
    }
}
