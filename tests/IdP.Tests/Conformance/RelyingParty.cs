using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using IdP.Testing;
using Xunit;

namespace IdP.Tests.Conformance;

/// <summary>What came of one whole flow, all of it checked.</summary>
internal sealed record Flown(string Code, Answer Tokens, JsonObject IdToken, JsonObject UserInfo)
{
    public string RawIdToken => Tokens.Json["id_token"]!.GetValue<string>();
    public string Subject => IdToken["sub"]!.GetValue<string>();
    public long AuthTime => IdToken["auth_time"]!.GetValue<long>();
}

/// <summary>
/// The part that the conformance suite plays: it reads the metadata, sends a browser off, and checks everything that comes back with
/// <see cref="CommonChecks"/>. A module asks for what it is about and checks the rest.
/// </summary>
internal sealed class RelyingParty : IDisposable
{
    private readonly IdpServer _server;
    private readonly string _mode;

    private RelyingParty(IdpServer server, string mode, JsonObject metadata, JsonObject jwks) =>
        (_server, _mode, Metadata, Jwks, Browser) = (server, mode, metadata, jwks, new Browser(server));

    public JsonObject Metadata { get; }
    public JsonObject Jwks { get; }
    public Browser Browser { get; }
    public SuiteClient Client { get; init; } = SuiteClient.First;

    public static async Task<RelyingParty> Start(IdpServer server, string mode, SuiteClient? client = null)
    {
        var metadata = JsonNode.Parse(await server.Http.GetStringAsync(new Uri("/.well-known/openid-configuration", UriKind.Relative)))!.AsObject();
        var jwks = JsonNode.Parse(await server.Http.GetStringAsync(new Uri(metadata["jwks_uri"]!.GetValue<string>())))!.AsObject();
        var party = new RelyingParty(server, mode, metadata, jwks) { Client = client ?? SuiteClient.First };
        CommonChecks.Discovery(metadata, server.Issuer, party.Client.Method);
        CommonChecks.Keys(jwks);
        Assert.Contains(mode, CommonChecks.List(metadata, "response_modes_supported"));
        return party;
    }

    /// <summary>The parameters of an authorization request; null takes one out.</summary>
    public Dictionary<string, string> Request(params (string Name, string? Value)[] with)
    {
        var parameters = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["client_id"] = Client.Id,
            ["redirect_uri"] = Client.RedirectUri,
            ["response_type"] = "code",
            ["scope"] = "openid",
            ["state"] = CodeFlow.Random()[..10],
            ["nonce"] = CodeFlow.Random()[..10],
        };
        // The plan for form_post sends the mode; the basic one leaves it to the default.
        if (_mode == "form_post") parameters["response_mode"] = _mode;
        foreach (var (name, value) in with) parameters[name] = value;
        return parameters.Where(pair => pair.Value is not null).ToDictionary(pair => pair.Key, pair => pair.Value!, StringComparer.Ordinal);
    }

    /// <summary>The whole flow: pages are filled in as far as there are any.</summary>
    public async Task<Flown> Fly(Dictionary<string, string> request, string? verifier = null) => await Finish(request, await Browser.Authorize(request), verifier);

    /// <summary>The whole flow of somebody who has nothing to fill in: the first answer is the response.</summary>
    public async Task<Flown> FlyWithoutPage(Dictionary<string, string> request) => await Redeem(request, await Browser.Authorize(request));

    /// <summary>Goes on from a page, through as many as there are.</summary>
    public async Task<Flown> Finish(Dictionary<string, string> request, PageAnswer answer, string? verifier = null)
    {
        if (IsSignIn(answer)) answer = await Browser.SignIn(answer, ConformanceProvider.Person);
        if (answer.Body.Contains("id=\"consent-accept\"", StringComparison.Ordinal)) answer = await Browser.Accept(answer);
        return await Redeem(request, answer, verifier);
    }

    /// <summary>An error that comes to the client, with everything that the suite checks of it.</summary>
    public Dictionary<string, string> Refused(Dictionary<string, string> request, PageAnswer answer, params string[] codes)
    {
        var response = CommonChecks.Response(answer, _mode, Client.RedirectUri);
        CommonChecks.Error(response, request.GetValueOrDefault("state"), _server.Issuer, codes);
        return response;
    }

    public static bool IsSignIn(PageAnswer answer) => answer.Status == 200 && answer.Body.Contains("id=\"login-submit\"", StringComparison.Ordinal);

    public Task<Answer> Redeem(string code, string? verifier = null) =>
        Token([("grant_type", "authorization_code"), ("code", code), ("redirect_uri", Client.RedirectUri), .. verifier is null ? Array.Empty<(string, string)>() : [("code_verifier", verifier)]]);

    public Task<Answer> Token(params (string Name, string Value)[] form) => Client.Method == "client_secret_post"
        ? _server.Post("/connect/token", null, [.. form, ("client_id", Client.Id), ("client_secret", IdpServer.Secret)])
        : _server.Post("/connect/token", Client.Id, form);

    public Task<Answer> UserInfo(string accessToken) => UserInfo(HttpMethod.Get, accessToken);

    public async Task<Answer> UserInfo(HttpMethod method, string? inHeader, string? inBody = null)
    {
        using var request = new HttpRequestMessage(method, Metadata["userinfo_endpoint"]!.GetValue<string>());
        if (inHeader is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", inHeader);
        if (method == HttpMethod.Post) request.Content = new FormUrlEncodedContent(inBody is null ? [] : [new("access_token", inBody)]);
        return await _server.Send(request);
    }

    /// <summary>Checks an ID token against the published keys.</summary>
    public Task<JsonObject> IdToken(Answer tokens, string? nonce) => CommonChecks.IdToken(
        tokens.Json["id_token"]!.GetValue<string>(), Jwks, _server.Issuer, Client.Id, nonce, tokens.AccessToken, _server.Clock.GetUtcNow());

    public void Dispose() => Browser.Dispose();

    private async Task<Flown> Redeem(Dictionary<string, string> request, PageAnswer answer, string? verifier = null)
    {
        var response = CommonChecks.Response(answer, _mode, Client.RedirectUri);
        CommonChecks.Success(response, request.GetValueOrDefault("state"), _server.Issuer);
        var tokens = await Redeem(response["code"], verifier);
        CommonChecks.TokenResponse(tokens);
        var idToken = await IdToken(tokens, request.GetValueOrDefault("nonce"));
        CommonChecks.NothingElse(idToken);
        var userInfo = await UserInfo(tokens.AccessToken);
        CommonChecks.UserInfo(userInfo, idToken["sub"]!.GetValue<string>());
        return new Flown(response["code"], tokens, idToken, userInfo.Json);
    }
}
