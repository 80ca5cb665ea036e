using IdP.Clients;
using IdP.Http;
using IdP.Protocol.OAuth;
using IdP.Storage;

namespace IdP.Tokens;

/// <summary>RFC 6749 §3.2. Shared steps are here, so that no grant can forget one.</summary>
internal sealed class TokenEndpoint(ClientAuthentication clients, IEnumerable<IGrant> grants, TokenIssuer issuer, ChangePoll poll)
{
    public const string Path = "/connect/token";
    private readonly Dictionary<string, IGrant> _grants = grants.ToDictionary(g => g.Name, StringComparer.Ordinal);

    public IEnumerable<string> GrantTypes => _grants.Keys;

    public async Task Handle(HttpContext http)
    {
        var ct = http.RequestAborted;
        var facts = RequestFacts.Of(http);

        // 1. Read.  RFC 6749 §3.2: parameters must not repeat, and are in the body.
        if ((await OAuthForm.Read(http.Request, ct)).Failed(out var form, out var error)) { await OAuthResults.Error(http, error); return; }

        // 2. A node that has lost sight of the database may not know what was taken away: it hears of that before it trusts what it remembers.
        if (await poll.Refusal(ct) is { } refusal) { await OAuthResults.Error(http, refusal); return; }

        // 3. Authenticate the client.  RFC 6749 §2.3: one method.
        if ((await clients.Authenticate(http, form, ct)).Failed(out var client, out error)) { await OAuthResults.Error(http, error); return; }
        Cors.AllowOwnOrigin(http, client.Client);
        if (client.Client.IsDisabled) { await OAuthResults.Error(http, OAuthError.InvalidClient("the client is disabled")); return; }

        // 4. Choose the grant: known, and allowed for this client.
        if (Choose(form, client.Client).Failed(out var grant, out error)) { await OAuthResults.Error(http, error); return; }
        facts.Grant = grant.Name;

        // 5. Let the grant prove what is authorized: the only step that differs.
        if ((await grant.Redeem(new GrantRequest(client, form, facts), ct)).Failed(out var authorization, out error)) { await OAuthResults.Error(http, error); return; }

        // 6. Issue, record, respond.
        var response = issuer.Issue(authorization);
        facts.Outcome = "issued";
        await Respond(http, response);
    }

    private Result<IGrant> Choose(FormParameters form, Client client)
    {
        if (form["grant_type"] is not { } name) return OAuthError.InvalidRequest("grant_type is required");
        if (!_grants.TryGetValue(name, out var grant)) return OAuthError.UnsupportedGrantType($"grant_type must be one of: {string.Join(", ", _grants.Keys)}");
        // Result<T> does not convert from an interface, so the value is wrapped by name.
        return client.MayUse(name) || IsRefusedByGrant(name, client) ? Result<IGrant>.Of(grant) : OAuthError.UnauthorizedClient("this client may not use that grant_type");
    }

    // A public client gets the grant's own answer, which says what it would need.
    private static bool IsRefusedByGrant(string name, Client client) => client.IsPublic && name == GrantNames.ClientCredentials;

    private static Task Respond(HttpContext http, TokenResponse response) => OAuthResults.Write(http, writer =>
    {
        writer.WriteStartObject();
        writer.WriteString("access_token"u8, response.AccessToken);
        writer.WriteString("token_type"u8, "Bearer"u8);
        writer.WriteNumber("expires_in"u8, response.ExpiresIn);
        writer.WriteString("scope"u8, response.Scope);
        if (response.RefreshToken is { } refreshToken) writer.WriteString("refresh_token"u8, refreshToken);
        if (response.IdToken is { } idToken) writer.WriteString("id_token"u8, idToken);
        writer.WriteEndObject();
    });
}
