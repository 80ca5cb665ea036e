using IdP.Testing;

namespace IdP.TokenValidation.Tests.Setup;

/// <summary>Nothing that is worth stealing reaches a log, at any level.</summary>
public sealed class Logs
{
    [Fact]
    [Trait("Case", "LOG-02")]
    public async Task No_token_and_no_secret_is_logged_whatever_happens()
    {
        var clock = new SteppedClock();
        await using var issuer = await FakeIssuer.Start();
        await using var local = await TestApi.Local(issuer, clock);
        await using var introspecting = await TestApi.Introspecting(issuer, clock);
        var good = issuer.Token(clock);
        List<string> tokens = [good, .. HostileTokens.All(issuer.Key, issuer.Claims(clock), clock.GetUtcNow(), TimeSpan.FromSeconds(30)).Select(token => token.Token).Where(token => token.Length is > 40 and < 8000), "an-opaque-token-0123456789"];
        foreach (var token in tokens)
        {
            await local.Get("/read", token);
            await introspecting.Get("/read", token);
        }

        issuer.Intercept = http => FakeIssuer.Status(http, 500);
        clock.Advance(TimeSpan.FromHours(30));
        await local.Get("/read", issuer.Token(clock));
        await introspecting.Get("/read", good);

        var log = string.Join('\n', local.Log.Lines.Concat(introspecting.Log.Lines));
        Assert.Contains("was not authenticated. Failure message: The signature of the token is not valid", log, StringComparison.Ordinal);
        Assert.Contains("could not be read", log, StringComparison.Ordinal);
        Assert.DoesNotContain(TestApi.Secret, log, StringComparison.Ordinal);
        Assert.DoesNotContain(Uri.EscapeDataString(TestApi.Secret), log, StringComparison.Ordinal);
        Assert.DoesNotContain(issuer.Asked.Authorization["Basic ".Length..], log, StringComparison.Ordinal);

        // A signature is the part of a token that cannot be made again.
        foreach (var token in tokens.Where(token => token.Contains('.', StringComparison.Ordinal)))
        {
            var last = token[(token.LastIndexOf('.') + 1)..];
            if (last.Length > 20) Assert.DoesNotContain(last, log, StringComparison.Ordinal);
        }

        Assert.DoesNotContain("an-opaque-token", log, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Case", "LOG-01")]
    public async Task Nothing_of_a_token_reaches_a_message()
    {
        var clock = new SteppedClock();
        await using var issuer = await FakeIssuer.Start();
        await using var api = await TestApi.Local(issuer, clock);
        const string Marker = "canary\\r\\nFATAL forged line \\u001b[31m";
        var header = $$"""{"alg":"ES256","kid":"{{Marker}}","typ":"at+jwt"}""";
        Assert.Equal(401, (await api.Get("/read", ForgedJwt.Sign(issuer.Key, header, issuer.Claims(clock).ToJsonString()))).Status);
        var claims = issuer.Claims(clock);
        foreach (var name in (string[])["iss", "sub", "client_id"]) claims[name] = "canary\r\nFATAL forged line";
        Assert.Equal(401, (await api.Get("/read", ForgedJwt.Sign(issuer.Key, claims))).Status);
        Assert.NotEmpty(api.Log.Lines);
        Assert.DoesNotContain(api.Log.Lines, line => line.Contains("canary", StringComparison.Ordinal));
    }
}
