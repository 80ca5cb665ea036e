using System.Text;
using IdP.ApiKeys;
using IdP.Protocol;
using IdP.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace IdP.TokenValidation.Tests.Provider;

/// <summary>API keys that the real provider issued, by header and by HTTP Basic.</summary>
public sealed class KeysOfTheProvider : IAsyncLifetime
{
    private static readonly ApiKeyActor Operator = new("test");
    private IdpServer _idp = null!;
    private WebApplication _app = null!;
    private HttpClient _http = null!;

    public async Task InitializeAsync()
    {
        _idp = await IdpServer.Start();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton<TimeProvider>(_idp.Clock);
        builder.Services.AddIdPTokenValidation(Trust).AddIdPTokenValidation("Introspected", options => { Trust(options); options.Mode = TokenValidationMode.Introspection; })
            .AddIdPApiKeys(Trust).AddIdPBasic(Trust);
        _app = builder.Build();
        foreach (var scheme in (string[])["Bearer", "Introspected", "ApiKey", "Basic"])
        {
            _app.MapGet("/" + scheme, () => "read").RequireSchemes(scheme).RequireScope("items:read");
            _app.MapGet("/write/" + scheme, () => "written").RequireSchemes(scheme).RequireScope("items:write");
        }

        await _app.StartAsync();
        _http = new HttpClient { BaseAddress = new Uri(_app.Urls.First()) };
    }

    public async Task DisposeAsync()
    {
        _http.Dispose();
        await _app.DisposeAsync();
        await _idp.DisposeAsync();
    }

    [Fact]
    [Trait("Case", "KEY-02")]
    public async Task A_key_counts_by_header_and_by_Basic_within_its_scopes_until_it_is_revoked()
    {
        var key = await MakeKey();
        Assert.True(ApiKeyText.TryParse(key, out var text));
        var basic = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{text.KeyId}:{text.Secret}"));
        Assert.Equal(200, await Get("/ApiKey", "X-API-Key", key));
        Assert.Equal(200, await Get("/Basic", "Authorization", basic));
        Assert.Equal(403, await Get("/write/ApiKey", "X-API-Key", key));
        Assert.Equal(403, await Get("/write/Basic", "Authorization", basic));

        // Of the right form, but nobody's.
        Assert.Equal(401, await Get("/ApiKey", "X-API-Key", text.Renewed().ToString()));
        Assert.Equal(401, await Get("/ApiKey", "X-API-Key", ApiKeyText.Create().ToString()));

        await _idp.Change(async (db, _) => await Statements.Revoke(db, await ApiKeyStatements.Require(db, text.KeyId, CancellationToken.None), Operator, CancellationToken.None));
        Assert.Equal(401, await Get("/ApiKey", "X-API-Key", key));
        Assert.Equal(401, await Get("/Basic", "Authorization", basic));
    }

    [Fact]
    public async Task A_key_is_no_bearer_token_and_a_bearer_token_no_key()
    {
        var key = await MakeKey();
        Assert.Equal(401, await Get("/Bearer", "Authorization", "Bearer " + key));
        Assert.Equal(401, await Get("/Introspected", "Authorization", "Bearer " + key));
        var token = (await _idp.ClientCredentials()).AccessToken;
        Assert.Equal(200, await Get("/Introspected", "Authorization", "Bearer " + token));
        Assert.Equal(401, await Get("/ApiKey", "X-API-Key", token));
    }

    private ApiKeyStatements Statements => _idp.App.Services.GetRequiredService<ApiKeyStatements>();

    private async Task<string> MakeKey()
    {
        var key = "";
        await _idp.Change(async (db, _) =>
            key = (await Statements.AddForUser(db, "alice", new NewApiKey("Test", IdpServer.Api, ["items:read"], 30), Operator, CancellationToken.None)).Text.ToString());
        return key;
    }

    private async Task<int> Get(string path, string header, string value)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        Assert.True(request.Headers.TryAddWithoutValidation(header, value));
        using var response = await _http.SendAsync(request);
        return (int)response.StatusCode;
    }

    private void Trust(TokenValidationOptions options)
    {
        options.Issuer = _idp.Issuer;
        options.Audiences.Add(IdpServer.Api);
        (options.ClientId, options.ClientSecret) = ("api", IdpServer.Secret);
    }
}
