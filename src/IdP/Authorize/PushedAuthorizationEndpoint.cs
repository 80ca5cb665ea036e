using IdP.Clients;
using IdP.Grants;
using IdP.Http;
using IdP.Protocol.OAuth;
using IdP.Storage;

namespace IdP.Authorize;

/// <summary>RFC 9126: the client hands its authorization request over by itself and gets a request_uri for the browser.</summary>
internal sealed class PushedAuthorizationEndpoint(
    ClientAuthentication clients, AuthorizationRequestPipeline pipeline, GrantStatements grants, Handles handles, FailureLimiter limiter, ChangePoll poll, IdpOptions options, TimeProvider clock)
{
    public const string Path = "/connect/par";

    public async Task Handle(HttpContext http)
    {
        var ct = http.RequestAborted;
        if ((await OAuthForm.Read(http.Request, ct)).Failed(out var form, out var error)) { await OAuthResults.Error(http, error); return; }
        if (await poll.Refusal(ct) is { } refusal) { await OAuthResults.Error(http, refusal); return; }
        if ((await clients.Authenticate(http, form, ct)).Failed(out var authenticated, out error)) { await OAuthResults.Error(http, error); return; }
        var client = authenticated.Client;
        Cors.AllowOwnOrigin(http, client);
        if (client.IsDisabled) { await OAuthResults.Error(http, OAuthError.InvalidClient("the client is disabled")); return; }
        // RFC 9126 §7.1: each push is a row, and anybody can push in the name of a client that proves nothing.
        if (client.IsPublic && limiter.CountAgainst("push", $"{RequestFacts.Of(http).Address} {client.ClientId}", options.Limits.PushesPerPublicCaller) is { } seconds)
        {
            await OAuthResults.Error(http, OAuthError.TooManyFailures(seconds));
            return;
        }
        // RFC 9126 §2.1
        if (form.Has("request_uri")) { await OAuthResults.Error(http, OAuthError.InvalidRequest("a pushed request cannot name another by request_uri")); return; }

        // What proved the client is no part of the request and is not kept.
        var request = form.Without("client_secret", "client_assertion", "client_assertion_type");
        if (pipeline.Check(request, client).Refused is { } refused) { await OAuthResults.Error(http, refused.Error); return; }
        if (await Push(request, client, ct) is not { } uri) { await OAuthResults.Error(http, OAuthError.InvalidClient("the client was disabled meanwhile")); return; }

        RequestFacts.Of(http).Outcome = "pushed";
        http.Response.StatusCode = 201;
        await OAuthResults.Write(http, writer =>
        {
            writer.WriteStartObject();
            writer.WriteString("request_uri"u8, uri);
            writer.WriteNumber("expires_in"u8, options.Tokens.PushedRequestLifetimeSeconds);
            writer.WriteEndObject();
        });
    }

    private async Task<string?> Push(FormParameters request, Client client, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var opens = now.AddSeconds(options.Tokens.PushedRequestLifetimeSeconds);
        var pushed = new Grant
        {
            Id = Guid.CreateVersion7(now),
            State = GrantState.Pushed,
            Origin = GrantNames.AuthorizationCode,
            ClientKey = client.Id,
            Scope = "",
            Seed = RefreshTokens.NewSeed(),
            CreatedAt = now,
            Request = request.Encode(),
            HandleExpiresAt = opens,
            // Once it is opened, the person has as long as for any other request.
            ExpiresAt = opens + Interactions.Life,
        };
        return await grants.Push(pushed, ct) == 1
            ? AuthorizationRequestPipeline.RequestUriPrefix + handles.Make(HandleKind.PushedRequest, pushed.Id, generation: 0, pushed.Seed)
            : null;
    }
}
