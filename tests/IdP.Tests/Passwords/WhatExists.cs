using IdP.Testing;
using IdP.Tests.Support;
using Xunit;

namespace IdP.Tests.Passwords;

/// <summary>Whether a name exists must not show in the work that it causes; times themselves are for the benchmarks.</summary>
public sealed class WhatExists(SqliteServer fixture) : IClassFixture<SqliteServer>
{
    private readonly IdpServer _server = fixture.Server;

    [Fact]
    [Trait("Case", "CLA-02")]
    public async Task An_unknown_client_is_looked_up_as_often_as_one_with_a_wrong_secret()
    {
        var (known, unknown) = ($"known-{Guid.NewGuid():N}", $"unknown-{Guid.NewGuid():N}");
        await _server.AddClient(known, "client_credentials", "items:read");
        Assert.Equal(200, (await _server.ClientCredentials(known)).Status);
        using var ofKnown = new LookUps(known);
        using var ofUnknown = new LookUps(unknown);

        await _server.Post("/connect/token", known, "wrong-secret", ("grant_type", "client_credentials"));
        await _server.Post("/connect/token", unknown, "wrong-secret", ("grant_type", "client_credentials"));

        Assert.Equal((1, 1), (ofKnown.Count, ofUnknown.Count));
    }

    [Fact]
    [Trait("Case", "LGN-02")]
    public async Task An_unknown_name_is_looked_up_as_often_as_one_with_a_wrong_password()
    {
        var (known, unknown) = ($"KNOWN-{Guid.NewGuid():N}".ToUpperInvariant(), $"UNKNOWN-{Guid.NewGuid():N}".ToUpperInvariant());
        await _server.AddUser(known);
        using var ofKnown = new LookUps(known);
        using var ofUnknown = new LookUps(unknown);

        await _server.PasswordGrant(known, "wrong-password");
        await _server.PasswordGrant(unknown, "wrong-password");

        Assert.Equal((1, 1), (ofKnown.Count, ofUnknown.Count));
    }
}
