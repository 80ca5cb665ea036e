using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using IdP.Testing;
using IdP.Tests.Conformance;
using Xunit;

namespace IdP.Tests.OpenId;

/// <summary>What came of a flow; the ID token is verified.</summary>
internal sealed record Walked(Answer Tokens, JsonObject? IdToken)
{
    public string RawIdToken => Tokens.Json["id_token"]!.GetValue<string>();
    public string Subject => IdToken!["sub"]!.GetValue<string>();
}

/// <summary>The ways through the front channel that the tests of its specifications share.</summary>
internal static class Walk
{
    /// <summary>Through pages as far as there are any, to tokens.</summary>
    public static async Task<Walked> Walked(this Browser browser, IdpServer server, CodeFlow flow, string user = "alice", string algorithm = "RS256") =>
        await Redeemed(server, flow, await browser.Complete(flow.Parameters(), user), algorithm);

    /// <summary>From an answer that must be the response, to tokens.</summary>
    public static async Task<Walked> Redeemed(this IdpServer server, CodeFlow flow, PageAnswer answer, string algorithm = "RS256")
    {
        Assert.True(answer.ResponseParameters().TryGetValue("code", out var code), $"{answer.Status} {answer.Location} {answer.Body}");
        var tokens = await flow.Redeem(server, code);
        Assert.True(tokens.Status == 200, tokens.Body);
        return new Walked(tokens, tokens.Json.ContainsKey("id_token") ? await server.Verified(tokens, flow.ClientId, flow.Nonce, algorithm) : null);
    }

    /// <summary>The claims of an ID token, verified by a library that is not ours.</summary>
    public static async Task<JsonObject> Verified(this IdpServer server, Answer tokens, string clientId, string? nonce, string algorithm = "RS256") => await CommonChecks.IdToken(
        tokens.Json["id_token"]!.GetValue<string>(), await server.Jwks(), server.Issuer, clientId, nonce, tokens.AccessToken, server.Clock.GetUtcNow(), algorithm);

    public static async Task<JsonObject> Jwks(this IdpServer server) =>
        JsonNode.Parse(await server.Http.GetStringAsync(new Uri("/.well-known/jwks.json", UriKind.Relative)))!.AsObject();

    public static async Task<JsonObject> Metadata(this IdpServer server) =>
        JsonNode.Parse(await server.Http.GetStringAsync(new Uri("/.well-known/openid-configuration", UriKind.Relative)))!.AsObject();

    public static async Task<Answer> UserInfo(this IdpServer server, string accessToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/connect/userinfo");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", accessToken);
        return await server.Send(request);
    }

    /// <summary>Exactly this error comes to the client, in the query unless the request says otherwise.</summary>
    public static void IsRefused(this PageAnswer answer, IdpServer server, CodeFlow flow, string error, string mode = "query")
    {
        Assert.True(answer.Location is not null || mode == "form_post", $"{answer.Status} {answer.Body}");
        if (answer.Location is { } location) Assert.StartsWith(flow.RedirectUri + (mode == "fragment" ? "#" : "?"), location, StringComparison.Ordinal);
        else Assert.Contains($"action=\"{flow.RedirectUri}\"", answer.Body, StringComparison.Ordinal);
        CommonChecks.Error(answer.ResponseParameters(), flow.State, server.Issuer, error);
    }

    public static bool IsSignIn(this PageAnswer answer) => answer.Status == 200 && answer.Body.Contains("id=\"login-submit\"", StringComparison.Ordinal);

    public static bool IsConsent(this PageAnswer answer) => answer.Status == 200 && answer.Body.Contains("id=\"consent-accept\"", StringComparison.Ordinal);

    public static IEnumerable<string> Names(this JsonObject json) => json.Select(member => member.Key).Order(StringComparer.Ordinal);
}
