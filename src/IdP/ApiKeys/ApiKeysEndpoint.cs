using System.Globalization;
using System.Text.Json;
using IdP.Clients;
using IdP.Grants;
using IdP.Http;
using IdP.Protocol;
using IdP.Protocol.OAuth;
using IdP.Resources;
using IdP.Storage;
using IdP.Tokens;
using Microsoft.EntityFrameworkCore;

namespace IdP.ApiKeys;

/// <summary>
/// The signed-in owner's own API: lists, makes, rotates and revokes the person's keys. It takes an access token that is for the provider
/// alone and was granted <c>idp:api_keys</c>; what an API has been sent, a key among it, opens nothing here.
/// </summary>
internal sealed class ApiKeysEndpoint(
    TokenReader reader, Liveness liveness, ClientDirectory clients, ResourceCatalog catalog, ApiKeyStatements statements, Database database, ChangePoll poll, Issuer issuer, TimeProvider clock)
{
    public const string Path = "/api-keys";
    public const string KeyPath = Path + "/{id}";
    public const string RotationPath = KeyPath + "/rotate";

    public Task List(HttpContext http) => Answer(http, async (caller, ct) =>
    {
        await using var db = database.OpenForReading();
        var keys = await ApiKeyStatements.WithScopes(Owned(db, caller)).OrderBy(k => k.Id).ToListAsync(ct);
        await OAuthResults.Write(http, writer =>
        {
            writer.WriteStartObject();
            writer.WriteStartArray("api_keys"u8);
            foreach (var key in keys) Write(writer, key, text: null);
            writer.WriteEndArray();
            writer.WriteEndObject();
        });
        return null;
    });

    public Task Show(HttpContext http) => Answer(http, async (caller, ct) =>
    {
        await using var db = database.OpenForReading();
        if (await Named(db, http, caller).SingleOrDefaultAsync(ct) is not { } key) return NotFound;
        await OAuthResults.Write(http, writer => Write(writer, key, text: null));
        return null;
    });

    public Task Create(HttpContext http) => Answer(http, async (caller, ct) =>
    {
        if ((await ApiKeyBodies.Read(http.Request, ct)).Failed(out var body, out var error) || ApiKeyBodies.NewKey(body).Failed(out var asked, out error)) return error;
        if (Excess(caller.Client, asked) is { } excess) return excess;
        var made = await database.Write(async db =>
        {
            await ServerState.TakeTurn(db, ct);
            var user = await db.Users.SingleOrDefaultAsync(u => u.Id == caller.UserId && u.DisabledAt == null, ct);
            return user is null ? null : await statements.Add(db, ApiKeyOwner.Of(user), asked, caller.Actor, ct) is var (stored, text) ? new Made(stored, text) : null;
        }, ct);
        if (made is null) return Invalid();
        http.Response.StatusCode = 201;
        http.Response.Headers.Location = issuer.Url($"{Path}/{made.Key.KeyId}");
        await OAuthResults.Write(http, writer => Write(writer, made.Key, made.Text));
        return null;
    });

    public Task Rotate(HttpContext http) => Answer(http, async (caller, ct) =>
    {
        if ((await ApiKeyBodies.Read(http.Request, ct)).Failed(out var body, out var error) || ApiKeyBodies.Rotation(body).Failed(out var rotation, out error)) return error;
        OAuthError? problem = null;
        var made = await database.Write(async db =>
        {
            await ServerState.TakeTurn(db, ct);
            if (await Named(db, http, caller).AsTracking().SingleOrDefaultAsync(ct) is not { } key)
            {
                problem = NotFound;
                return null;
            }
            // What the key may do the app is about to hold in its hands.
            if (key.ScopeNames.FirstOrDefault(name => !caller.Client.Scopes.Contains(name)) is { } foreign)
            {
                problem = new OAuthError("access_denied", $"the key has the scope '{OAuthError.Printable(foreign)}', which this app may not have", 403);
                return null;
            }
            return new Made(key, await statements.Rotate(db, key, TimeSpan.FromSeconds(rotation.OverlapSeconds), rotation.ExpiresInDays, caller.Actor, ct));
        }, ct);
        if (made is null) return problem;
        await OAuthResults.Write(http, writer => Write(writer, made.Key, made.Text));
        return null;
    });

    public Task Revoke(HttpContext http) => Answer(http, async (caller, ct) =>
    {
        var found = await database.Write(async db =>
        {
            await ServerState.TakeTurn(db, ct);
            if (await Named(db, http, caller).AsTracking().SingleOrDefaultAsync(ct) is not { } key) return false;
            await statements.Revoke(db, key, caller.Actor, ct);
            return true;
        }, ct);
        if (!found) return NotFound;
        http.Response.StatusCode = 204;
        http.Response.Headers.CacheControl = "no-store";
        return null;
    });

    // Somebody else's key is no other answer than none.
    private static OAuthError NotFound => new("not_found", "you have no such API key", 404);

    private static IQueryable<ApiKey> Owned(IdpDbContext db, Caller caller) => db.Set<ApiKey>().Where(k => k.UserId == caller.UserId);

    private static IQueryable<ApiKey> Named(IdpDbContext db, HttpContext http, Caller caller)
    {
        var id = (string?)http.Request.RouteValues["id"] ?? "";
        return ApiKeyStatements.WithScopes(Owned(db, caller).Where(k => k.KeyId == id));
    }

    // A key made through an app can do no more at the API than the app itself may ask for; what is unknown and what is not its gets one answer.
    private OAuthError? Excess(Client client, NewApiKey asked)
    {
        var known = catalog.Current;
        if (known.ByIdentifier(asked.Resource) is not { } api || !client.Scopes.Any(name => known.Scope(name)?.ResourceId == api.Id))
            return OAuthError.InvalidTarget("this app has no scope of that resource");
        return asked.Scopes.FirstOrDefault(name => !client.Scopes.Contains(name) || known.Scope(name)?.ResourceId != api.Id) is { } foreign
            ? new OAuthError("invalid_scope", $"the scope '{OAuthError.Printable(foreign)}' is none of the resource that this app may ask for", 403)
            : null;
    }

    private async Task Answer(HttpContext http, Func<Caller, CancellationToken, Task<OAuthError?>> work)
    {
        var ct = http.RequestAborted;
        if (await poll.Unreachable(ct) is { } unreachable) { await ApiKeyBodies.Problem(http, unreachable); return; }
        if ((await Authorize(http, ct)).Failed(out var caller, out var error))
        {
            // RFC 6750 §3
            var parameters = error == Nothing ? "" : $", error=\"{error.Code}\", error_description=\"{error.Description}\"";
            http.Response.Headers.WWWAuthenticate = $"Bearer realm=\"IdP\"{parameters}{(error.Status == 403 ? $", scope=\"{ResourceCatalog.ManageApiKeys}\"" : "")}";
            await ApiKeyBodies.Problem(http, error);
            return;
        }
        try
        {
            if (await work(caller, ct) is { } problem) await ApiKeyBodies.Problem(http, problem);
            else RequestFacts.Of(http).Outcome = "done";
        }
        catch (ChangeRefusedException refused)
        {
            var (code, status) = refused.Reason switch
            {
                RefusalReason.NotFound => ("not_found", 404),
                RefusalReason.Conflict => ("conflict", 409),
                _ => ("invalid_request", 400),
            };
            await ApiKeyBodies.Problem(http, new OAuthError(code, refused.Message, status));
        }
    }

    // RFC 6750 §3.1: who brings nothing is told only how to authenticate.
    private static readonly OAuthError Nothing = new("unauthorized", "an access token is needed in the header Authorization", 401);

    private static OAuthError Invalid() => new("invalid_token", "the access token is not valid", 401);

    private async ValueTask<Result<Caller>> Authorize(HttpContext http, CancellationToken ct)
    {
        var headers = http.Request.Headers.Authorization;
        if (headers.Count > 1) return OAuthError.InvalidRequest("more than one Authorization header");
        if (headers is not [{ } header] || !header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase)) return Nothing;
        if (reader.Read(header[7..]) is not { } claims || !await liveness.IsAlive(claims, ct)) return Invalid();
        var facts = RequestFacts.Of(http);
        facts.ClientId = claims.ClientId;
        if (await clients.Find(claims.ClientId, ct) is not { } client) return Invalid();
        Cors.AllowOwnOrigin(http, client);
        // Of the provider and nobody else: an API to which the token is sent as well must not make keys with it.
        var isForUs = claims.Audience is [var only] && only == issuer.Value && !claims.IsBySharedSecret;
        if (!isForUs || claims.GrantId is not { } grantId || !claims.Scope.Split(' ').Contains(ResourceCatalog.ManageApiKeys) || !client.Scopes.Contains(ResourceCatalog.ManageApiKeys))
            return new OAuthError("insufficient_scope", $"the access token was not granted {ResourceCatalog.ManageApiKeys}", 403);
        await using var db = database.OpenForReading();
        var userId = await db.Set<Grant>().Where(g => g.Id == grantId).Select(g => g.UserId).SingleOrDefaultAsync(ct);
        return userId is { } person ? new Caller(client, person, new ApiKeyActor($"user:{person:N}", facts.Address, client.ClientId)) : Invalid();
    }

    private void Write(Utf8JsonWriter writer, ApiKey key, ApiKeyText? text)
    {
        var now = clock.GetUtcNow();
        writer.WriteStartObject();
        writer.WriteString("id"u8, key.KeyId);
        if (text is { } made) writer.WriteString("key"u8, made.ToString());
        writer.WriteString("prefix"u8, key.Prefix);
        writer.WriteString("name"u8, key.Name);
        writer.WriteString("resource"u8, key.Resource!.Identifier);
        writer.WriteList("scopes", key.ScopeNames);
        writer.WriteString("state"u8, key.RevokedAt is not null ? "revoked" : key.IsLive(now) ? "live" : "expired");
        writer.WriteString("created_at"u8, Time(key.CreatedAt));
        writer.WriteString("expires_at"u8, Time(key.ExpiresAt));
        writer.WriteString("last_used_at"u8, key.LastUsedAt is { } used ? Time(used) : null);
        if (key.PreviousEndsAt is { } ends && ends > now) writer.WriteString("previous_secret_ends_at"u8, Time(ends));
        writer.WriteEndObject();
    }

    private static string Time(DateTimeOffset instant) => instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private sealed record Caller(Client Client, Guid UserId, ApiKeyActor Actor);

    private sealed record Made(ApiKey Key, ApiKeyText Text);
}
