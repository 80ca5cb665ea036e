using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using AngleSharp.Dom;
using AngleSharp.Html.Parser;
using IdP.Testing;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Xunit;

namespace IdP.Tests.Conformance;

/// <summary>What the conformance suite looks at in every module, whatever the module is about. A warning of the suite is a failure here.</summary>
internal static class CommonChecks
{
    private const string Unreserved = "^[A-Za-z0-9._~+/=-]+$";
    private const string Base64UrlText = "^[A-Za-z0-9_-]+$";
    private const string Birthdate = @"^\d{4}(-\d\d-\d\d)?$";

    /// <summary>What an ID token may say although nobody asked for it.</summary>
    private static readonly string[] Tolerated =
        ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "azp", "at_hash", "c_hash", "nbf", "jti", "sid", "s_hash", "txn"];

    public static void Discovery(JsonObject metadata, string issuer, string method)
    {
        Assert.Equal(issuer, metadata["issuer"]!.GetValue<string>());
        foreach (var name in (string[])["authorization_endpoint", "token_endpoint", "jwks_uri"])
            Assert.StartsWith("https://", metadata[name]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Contains(method, List(metadata, "token_endpoint_auth_methods_supported"));
    }

    public static void Keys(JsonObject jwks)
    {
        var keys = jwks["keys"]!.AsArray().Select(key => key!.AsObject()).ToList();
        Assert.NotEmpty(keys);
        var ids = keys.ConvertAll(key => key["kid"]!.GetValue<string>());
        Assert.Equal(ids.Count, ids.Distinct(StringComparer.Ordinal).Count());
        foreach (var key in keys)
        {
            Assert.Contains(key["kty"]!.GetValue<string>(), (string[])["RSA", "EC"]);
            if (key["crv"] is { } curve) Assert.Contains(curve.GetValue<string>(), (string[])["P-256", "P-384", "P-521"]);
            foreach (var secret in (string[])["d", "p", "q", "dp", "dq", "qi", "oth", "k"]) Assert.False(key.ContainsKey(secret), secret);
            foreach (var number in (string[])["n", "e", "x", "y"])
                if (key[number] is { } value) Assert.Matches(Base64UrlText, value.GetValue<string>());
        }
    }

    /// <summary>The parameters of an authorization response, which are where the response mode wants them and nowhere else.</summary>
    public static Dictionary<string, string> Response(PageAnswer answer, string mode, string redirectUri) => mode == "form_post" ? Posted(answer, redirectUri) : InQuery(answer, redirectUri);

    public static void Success(Dictionary<string, string> response, string? state, string issuer)
    {
        Assert.Equal((string[])["code", "iss", .. state is null ? Array.Empty<string>() : ["state"]], response.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(state, response.GetValueOrDefault("state"));
        Assert.Equal(issuer, response["iss"]);
        Assert.Matches(Unreserved, response["code"]);
        Unguessable(response["code"]);
    }

    public static void Error(Dictionary<string, string> response, string? state, string issuer, params string[] codes)
    {
        Assert.Empty(response.Keys.Except(["error", "error_description", "error_uri", "state", "session_state", "iss"]));
        Assert.Contains(response["error"], codes);
        Assert.Equal(state, response.GetValueOrDefault("state"));
        Assert.Equal(issuer, response["iss"]);
        Description(response.GetValueOrDefault("error_description"));
        if (response.TryGetValue("error_uri", out var uri)) Assert.True(Uri.TryCreate(uri, UriKind.Absolute, out _));
    }

    /// <summary>A page of the provider's own that says what is wrong and leads nowhere.</summary>
    public static void ErrorPage(PageAnswer answer)
    {
        Assert.Equal(400, answer.Status);
        Assert.Null(answer.Location);
        Assert.Equal("text/html", answer.Response.Content.Headers.ContentType?.MediaType);
        Assert.Equal("", answer.Header("Refresh"));
        Assert.Contains("op-error", answer.Body, StringComparison.Ordinal);
        var page = new HtmlParser().ParseDocument(answer.Body);
        Assert.Empty(page.QuerySelectorAll("form, a[href], script, iframe, meta[http-equiv]"));
    }

    public static void TokenResponse(Answer answer)
    {
        Assert.True(answer.Status == 200, answer.Body);
        Assert.Equal("application/json", answer.Response.Content.Headers.ContentType?.MediaType);
        Assert.Equal("no-store", answer.Header("Cache-Control"));
        var json = answer.Json;
        Assert.Equal("bearer", json["token_type"]!.GetValue<string>(), ignoreCase: true);
        Assert.InRange(json["expires_in"]!.GetValue<int>(), 1, 365 * 24 * 3600);
        foreach (var name in (string[])["access_token", "refresh_token", "id_token"])
        {
            if (json[name] is not { } token) continue;
            Assert.Matches(Unreserved, token.GetValue<string>());
            Unguessable(token.GetValue<string>());
        }
    }

    public static void TokenError(Answer answer, string code)
    {
        Assert.Equal((400, code), (answer.Status, answer.Error));
        Assert.Equal("application/json", answer.Response.Content.Headers.ContentType?.MediaType);
        Description(answer.Json["error_description"]?.GetValue<string>());
    }

    /// <summary>Verifies an ID token with a library that is not ours, and checks every claim that has a rule.</summary>
    public static async Task<JsonObject> IdToken(string token, JsonObject jwks, string issuer, string clientId, string? nonce, string accessToken, DateTimeOffset now, string algorithm = "RS256")
    {
        var keys = new JsonWebKeySet(jwks.ToJsonString());
        var result = await new JsonWebTokenHandler().ValidateTokenAsync(token, new TokenValidationParameters
        {
            ValidIssuer = issuer,
            ValidAudience = clientId,
            IssuerSigningKeys = keys.GetSigningKeys(),
            TryAllIssuerSigningKeys = false,
            ValidAlgorithms = [algorithm],
            RequireSignedTokens = true,
            LifetimeValidator = (_, expires, _, _) => expires > now.UtcDateTime,
        });
        Assert.True(result.IsValid, result.Exception?.Message);
        var jwt = (JsonWebToken)result.SecurityToken;
        var key = Assert.Single(keys.Keys, key => key.Kid == jwt.Kid);
        Assert.Equal(("sig", algorithm), (key.Use, key.Alg));

        var claims = JsonNode.Parse(Base64Url.DecodeFromChars(token.Split('.')[1]))!.AsObject();
        Assert.Equal(nonce, claims["nonce"]?.GetValue<string>());
        Assert.Equal(nonce is not null, claims.ContainsKey("nonce"));
        Assert.InRange(Seconds(claims, "iat") - now.ToUnixTimeSeconds(), -300, 300);
        Assert.True(Seconds(claims, "exp") > now.ToUnixTimeSeconds());
        if (claims.ContainsKey("auth_time")) Assert.InRange(Seconds(claims, "auth_time"), now.AddDays(-365).ToUnixTimeSeconds(), now.AddSeconds(5).ToUnixTimeSeconds());
        if (claims.ContainsKey("acr")) Assert.NotEmpty(claims["acr"]!.GetValue<string>());
        var subject = claims["sub"]!.GetValue<string>();
        Assert.True(subject.Length is > 0 and <= 255 && subject.All(c => c is > ' ' and <= '~'), subject);
        if (claims["at_hash"] is { } hash) Assert.Equal(Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(accessToken)).AsSpan(0, 16)), hash.GetValue<string>());
        Hygiene(claims);
        return claims;
    }

    /// <summary>An ID token says nothing that nobody asked for.</summary>
    public static void NothingElse(JsonObject idToken, params string[] asked) => Assert.Empty(idToken.Select(claim => claim.Key).Except(Tolerated).Except(asked));

    public static void UserInfo(Answer answer, string subject)
    {
        Assert.True(answer.Status == 200, answer.Body);
        Assert.Equal("application/json", answer.Response.Content.Headers.ContentType?.MediaType);
        Assert.Equal(subject, answer.Json["sub"]!.GetValue<string>());
        Hygiene(answer.Json);
    }

    /// <summary>No claim is empty, and each has the type that OpenID Connect Core §5.1 gives it.</summary>
    public static void Hygiene(JsonObject claims)
    {
        foreach (var (name, value) in claims)
        {
            Assert.True(value is not null, name);
            if (value.GetValueKind() == JsonValueKind.String) Assert.False(value.GetValue<string>() is "" or "null", name);
            if (name.EndsWith("_verified", StringComparison.Ordinal)) Assert.Contains(value.GetValueKind(), (JsonValueKind[])[JsonValueKind.True, JsonValueKind.False]);
            else if (name is "updated_at" or "auth_time" or "iat" or "exp") Assert.Equal(JsonValueKind.Number, value.GetValueKind());
            else if (name == "birthdate") Assert.Matches(Birthdate, value.GetValue<string>());
            else if (name == "address") Assert.All(value.AsObject(), part => Assert.NotEmpty(part.Value!.GetValue<string>()));
            else if (name is not ("aud" or "amr")) Assert.Equal(JsonValueKind.String, value.GetValueKind());
        }
    }

    public static string[] List(JsonObject json, string name) => [.. json[name]!.AsArray().Select(value => value!.GetValue<string>())];

    private static Dictionary<string, string> InQuery(PageAnswer answer, string redirectUri)
    {
        Assert.True(answer.Location is not null, answer.Body);
        Assert.InRange(answer.Status, 302, 303);
        var added = redirectUri + (redirectUri.Contains('?') ? '&' : '?');
        Assert.StartsWith(added, answer.Location, StringComparison.Ordinal);
        Assert.DoesNotContain('#', answer.Location);
        var pairs = answer.Location[added.Length..].Split('&').Select(pair => pair.Split('=')).ToList();
        // A parameter that is there twice has no value.
        return pairs.ToDictionary(pair => pair[0], pair => Uri.UnescapeDataString(pair[1]), StringComparer.Ordinal);
    }

    // A browser posts the page's one form without anybody's doing, to the registered address and with nothing in its query.
    private static Dictionary<string, string> Posted(PageAnswer answer, string redirectUri)
    {
        Assert.Equal((200, null), (answer.Status, answer.Location));
        Assert.Equal("text/html", answer.Response.Content.Headers.ContentType?.MediaType);
        Assert.Equal("no-store", answer.Header("Cache-Control"));
        var page = new HtmlParser().ParseDocument(answer.Body);
        var form = Assert.Single(page.QuerySelectorAll("form"));
        Assert.Equal("post", form.GetAttribute("method"), ignoreCase: true);
        Assert.Equal(redirectUri, form.GetAttribute("action"));
        Assert.Null(form.GetAttribute("enctype"));
        var script = Assert.Single(page.QuerySelectorAll("script"));
        Assert.Equal("document.forms[0].submit()", script.TextContent.Trim());
        var policy = answer.Header("Content-Security-Policy");
        Assert.Contains($"script-src 'nonce-{script.GetAttribute("nonce")}'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("form-action", policy, StringComparison.Ordinal);
        return form.QuerySelectorAll("input").ToDictionary(input => input.GetAttribute("name")!, input => input.GetAttribute("value")!, StringComparer.Ordinal);
    }

    private static void Description(string? text) => Assert.True(text?.All(c => c is ' ' or '!' or (>= '#' and <= '[') or (>= ']' and <= '~')) ?? true, text);

    private static void Unguessable(string text)
    {
        Assert.True(text.Length * 8 >= 128);
        var entropy = text.GroupBy(c => c).Sum(same => -same.Count() * Math.Log2((double)same.Count() / text.Length));
        Assert.True(entropy >= 96, $"{entropy} bits");
    }

    private static long Seconds(JsonObject claims, string name) => claims[name]!.GetValue<long>();
}
