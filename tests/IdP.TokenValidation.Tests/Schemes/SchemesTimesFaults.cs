using IdP.Testing;
using Microsoft.Extensions.Logging;

namespace IdP.TokenValidation.Tests.Schemes;

/// <summary>Every scheme with every fault: exact status, challenge and problem, in a table that is generated.</summary>
public sealed class SchemesTimesFaults
{
    public enum Fault { None, Missing, Malformed, Oversized, Doubled, MixedCase, Expired, Revoked, OtherAudience, WrongType, Unicode, ProviderDown }

    public static TheoryData<string, Fault> Table
    {
        get
        {
            var table = new TheoryData<string, Fault>();
            foreach (var scheme in SchemesApi.All)
                foreach (var fault in Enum.GetValues<Fault>())
                    if (Exists(scheme, fault)) table.Add(scheme, fault);
            return table;
        }
    }

    [Theory, MemberData(nameof(Table))]
    [Trait("Case", "KEY-01")]
    [Trait("Case", "KEY-07")]
    [Trait("Case", "INT-03")]
    public async Task A_fault_has_its_status_its_challenge_and_its_problem(string scheme, Fault fault)
    {
        // Debug logs have the framework's way gone, which the library leaves out for tokens otherwise; secrets stay out of every level.
        await using var api = await SchemesApi.Start(level: scheme == "Bearer" ? LogLevel.Information : LogLevel.Trace);
        var answer = await api.Send(Make(api, scheme, fault));
        var (status, error) = Expected(scheme, fault);
        Assert.True(status == answer.Status, $"{answer.Status} {answer.Body}");
        if (status == 200)
        {
            Assert.Equal((null, scheme), (answer.Challenge, answer.Body));
            return;
        }

        Assert.Equal(("application/problem+json", "no-store"), (answer.ContentType, answer.CacheControl));
        Assert.Equal((status, error), (answer.Problem["status"]!.GetValue<int>(), answer.Problem["error"]?.GetValue<string>()));
        var detail = answer.Problem["detail"]!.GetValue<string>();
        Assert.NotEmpty(detail);
        Assert.Equal(status == 503 ? "2" : null, answer.RetryAfter);
        Assert.Equal(status == 503 ? null : Challenge(scheme, error, detail), answer.Challenge);
        if (IsKey(scheme) && fault is (Fault.Malformed or Fault.Oversized or Fault.MixedCase or Fault.Unicode)) Assert.Equal(0, api.Issuer.Requests(FakeIssuer.IntrospectionPath));
        // The framework logs addresses: that is what makes the query unwise.
        if (scheme != "KeyInQuery") Assert.DoesNotContain(api.Log.Lines, line => line.Contains(api.Key.Secret, StringComparison.Ordinal));
    }

    private static bool IsKey(string scheme) => scheme is "Basic" or "ApiKey" or "KeyInQuery" or "KeyInCookie";

    // A token that is checked here cannot be known to be revoked; a shared secret asks nobody.
    private static bool Exists(string scheme, Fault fault) =>
        !(fault is Fault.Revoked && scheme is ("Bearer" or "Legacy")) && !(scheme == "Legacy" && fault == Fault.ProviderDown);

    private static (int Status, string? Error) Expected(string scheme, Fault fault)
    {
        var invalid = IsKey(scheme) ? "invalid_key" : "invalid_token";
        return fault switch
        {
            Fault.None => (200, null),
            Fault.Missing => (401, null),
            Fault.ProviderDown => (503, null),
            Fault.Doubled => (400, "invalid_request"),
            Fault.Malformed when scheme is "Bearer" or "Introspected" or "Legacy" or "Basic" => (400, "invalid_request"),
            Fault.Unicode when scheme is "Bearer" or "Introspected" or "Legacy" => (400, "invalid_request"),
            _ => (401, invalid),
        };
    }

    private static string Challenge(string scheme, string? error, string detail)
    {
        var attributes = error is null ? "" : $", error=\"{error}\", error_description=\"{detail}\"";
        return scheme switch
        {
            "Basic" => $"Basic realm=\"{TestApi.Audience}\", charset=\"UTF-8\"",
            "ApiKey" => $"ApiKey realm=\"{TestApi.Audience}\", in=\"header\", name=\"X-API-Key\"{attributes}",
            "KeyInQuery" => $"ApiKey realm=\"{TestApi.Audience}\", in=\"query\", name=\"api_key\"{attributes}",
            "KeyInCookie" => $"ApiKey realm=\"{TestApi.Audience}\", in=\"cookie\", name=\"api_key\"{attributes}",
            "Legacy" => $"Bearer realm=\"{SchemesApi.Legacy}\"{attributes}",
            "Bearer" => $"Bearer realm=\"{TestApi.Audience}\"{attributes}, resource_metadata=\"https://api.example/.well-known/oauth-protected-resource/v1\"",
            _ => $"Bearer realm=\"{TestApi.Audience}\"{attributes}",
        };
    }

    private static HttpRequestMessage Make(SchemesApi api, string scheme, Fault fault)
    {
        if (fault == Fault.Missing) return new HttpRequestMessage(HttpMethod.Get, "/" + scheme);
        if (fault == Fault.ProviderDown) api.Issuer.Intercept = http => FakeIssuer.Status(http, 500);
        var (key, secret) = (api.Key.KeyId, api.Key.Secret);
        (api.KeyAnswer, api.TokenAnswer) = fault switch
        {
            Fault.Expired => (api.Answer("ApiKey", secondsLeft: -100), api.Answer("Bearer", secondsLeft: -100)),
            Fault.Revoked => ("""{"active":false}""", """{"active":false}"""),
            Fault.OtherAudience => (api.Answer("ApiKey", "urn:other"), api.Answer("Bearer", "urn:other")),
            Fault.WrongType => (api.Answer("Bearer"), api.Answer("ApiKey")),
            _ => (null, null),
        };
        var claims = api.Issuer.Claims(api.Clock);
        if (fault == Fault.Expired) claims["exp"] = claims["iat"]!.GetValue<long>() - 100;
        if (fault == Fault.OtherAudience) claims["aud"] = "urn:other";
        var good = scheme switch
        {
            "Bearer" => fault == Fault.WrongType ? api.LegacyToken(TestApi.Audience) : ForgedJwt.Sign(api.Issuer.Key, claims),
            "Legacy" when fault == Fault.WrongType => ForgedJwt.Sign(api.Issuer.Key, claims),
            "Legacy" => api.LegacyToken(fault == Fault.OtherAudience ? "urn:other" : SchemesApi.Legacy, fault == Fault.Expired ? -100 : 600),
            "Introspected" => "opaque",
            "Basic" => SchemesApi.Basic(key, secret),
            _ => api.Key.ToString(),
        };
        var credential = fault switch
        {
            Fault.Malformed => scheme is "Basic" ? "%%%" : IsKey(scheme) ? good[..20] : good + " x",
            // Kestrel lets no more through in an address.
            Fault.Oversized => new string('a', scheme == "KeyInQuery" ? 5_000 : 10_000),
            Fault.MixedCase => scheme is "Basic" ? SchemesApi.Basic(key.ToLowerInvariant(), secret.ToUpperInvariant()) : good.ToUpperInvariant(),
            Fault.Unicode => scheme is "Basic" ? SchemesApi.Basic("schlüssel", secret) : good[..^1] + "é",
            _ => good,
        };
        return SchemesApi.Request(scheme, credential, fault == Fault.Doubled ? 2 : 1);
    }
}
