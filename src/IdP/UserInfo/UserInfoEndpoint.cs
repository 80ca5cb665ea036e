using System.Buffers;
using System.Text;
using System.Text.Json;
using IdP.Accounts;
using IdP.Clients;
using IdP.Grants;
using IdP.Http;
using IdP.Keys;
using IdP.Protocol.OAuth;
using IdP.Protocol.OpenId;
using IdP.Roles;
using IdP.Storage;
using IdP.Tokens;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.EntityFrameworkCore;

namespace IdP.UserInfo;

/// <summary>OpenID Connect Core §5.3: the claims of the person whose token this is.</summary>
internal sealed class UserInfoEndpoint(TokenReader reader, Liveness liveness, ClientDirectory clients, HeldRoles roles, KeyRing keys, Database database, ChangePoll poll, Issuer issuer)
{
    public const string Path = "/connect/userinfo";

    // A type of its own, so that nobody takes an answer for an ID token.
    private const string AnswerType = "userinfo+jwt";

    public async Task Handle(HttpContext http)
    {
        var ct = http.RequestAborted;
        var facts = RequestFacts.Of(http);
        if (await poll.Unreachable(ct) is { } unreachable) { await OAuthResults.Error(http, unreachable); return; }
        if ((await Carried(http.Request, ct)).Failed(out var token, out var error)) { await Challenge(http, error); return; }
        // RFC 6750 §3.1: who brings nothing is told only how to authenticate.
        if (token.Length == 0) { await Challenge(http, error: null); return; }

        // One by a shared secret may have been made by the API that has it: it tells nothing of a person.
        if (reader.Read(token) is not { IsBySharedSecret: false } claims || !await liveness.IsAlive(claims, ct)) { await Challenge(http, Invalid("the access token is not valid")); return; }
        facts.ClientId = claims.ClientId;
        if (await clients.Find(claims.ClientId, ct) is not { } client) { await Challenge(http, Invalid("the access token is not valid")); return; }
        Cors.AllowOwnOrigin(http, client);
        var scopes = claims.Scope.Split(' ');
        // RFC 6750 §3.1: a token that was not granted openid, a client's own among them, is good but not for this.
        if (claims.GrantId is null || !scopes.Contains("openid") || !claims.Audience.Contains(issuer.Value))
        {
            await Challenge(http, new OAuthError("insufficient_scope", "the access token was not granted openid", 403));
            return;
        }
        if (await Person(claims.GrantId.Value, ct) is not { } person) { await Challenge(http, Invalid("the access token is not valid")); return; }
        facts.Outcome = "told";
        var names = UserClaims.Opened(scopes, UserClaims.Requested(person.Requested, client));
        var rights = UserClaims.AreRights(names) ? await roles.OfUser(person.User.Id, person.Apis, ct) : Rights.None;
        if (client.UserInfoAlgorithm is { } algorithm) await Sign(http, client, algorithm, claims.Subject, person.User, names, rights);
        else await OAuthResults.Write(http, writer =>
        {
            writer.WriteStartObject();
            writer.WriteString("sub"u8, claims.Subject);
            UserClaims.Write(writer, person.User, names);
            rights.Write(writer, names);
            writer.WriteEndObject();
        });
    }

    // OpenID Connect Core §5.3.2: a signed answer says who made it and for whom.
    private Task Sign(HttpContext http, Client client, string algorithm, string subject, User user, HashSet<string> names, Rights rights)
    {
        var claims = new ArrayBufferWriter<byte>(512);
        using (var writer = new Utf8JsonWriter(claims))
        {
            writer.WriteStartObject();
            writer.WriteString("iss"u8, issuer.Value);
            writer.WriteString("aud"u8, client.ClientId);
            writer.WriteString("sub"u8, subject);
            UserClaims.Write(writer, user, names);
            rights.Write(writer, names);
            writer.WriteEndObject();
        }
        return OAuthResults.Write(http, Encoding.ASCII.GetBytes(keys.Signer(algorithm).Sign(AnswerType, claims.WrittenSpan)), "application/jwt");
    }

    /// <summary>The token from the header or from the body of a POST (RFC 6750 §2); both is an error, the URL is never looked at.</summary>
    private static async ValueTask<Result<string>> Carried(HttpRequest request, CancellationToken ct)
    {
        var headers = request.Headers.Authorization;
        if (headers.Count > 1) return OAuthError.InvalidRequest("more than one Authorization header");
        var header = headers.Count == 1 ? headers[0]! : "";
        string? inBody = null;
        if (HttpMethods.IsPost(request.Method) && request.HttpContext.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: true })
        {
            if ((await OAuthForm.Read(request, ct)).Failed(out var form, out var error)) return error;
            inBody = form["access_token"];
        }
        if (header.Length == 0) return inBody ?? "";
        if (inBody is not null) return OAuthError.InvalidRequest("the access token is in the header and in the body");
        return header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) && header.Length > 7 && header[7] != ' '
            ? header[7..]
            : OAuthError.InvalidRequest("the Authorization header must be 'Bearer' and one access token");
    }

    private async Task<(User User, IEnumerable<string> Requested, string? Apis)?> Person(Guid grantId, CancellationToken ct)
    {
        await using var db = database.OpenForReading();
        var found = await db.Set<Grant>().Where(g => g.Id == grantId)
            .Join(db.Users.Where(u => u.DisabledAt == null), g => g.UserId, u => u.Id, (g, u) => new { u, g.Claims, g.ResourceIdentifier }).SingleOrDefaultAsync(ct);
        if (found is null) return null;
        return (found.u, ClaimsRequest.Parse(found.Claims).Failed(out var claims, out _) ? [] : claims.UserInfo.Keys, found.ResourceIdentifier);
    }

    private static OAuthError Invalid(string description) => new("invalid_token", description, 401);

    // RFC 6750 §3
    private static Task Challenge(HttpContext http, OAuthError? error)
    {
        var parameters = error is null ? "" : $", error=\"{error.Code}\", error_description=\"{error.Description}\"" + (error.Status == 403 ? ", scope=\"openid\"" : "");
        http.Response.Headers.WWWAuthenticate = $"Bearer realm=\"IdP\"{parameters}";
        if (error is not null) return OAuthResults.Error(http, error);
        http.Response.StatusCode = 401;
        http.Response.Headers.CacheControl = "no-store";
        http.Response.ContentLength = 0;
        RequestFacts.Of(http).Outcome = "challenged";
        return Task.CompletedTask;
    }
}
