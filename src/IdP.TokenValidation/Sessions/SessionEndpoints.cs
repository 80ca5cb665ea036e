using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using IdP.Protocol;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace IdP.TokenValidation;

/// <summary>The endpoints of sessions in browsers.</summary>
public static class SessionSetup
{
    /// <summary>
    /// Maps, under <see cref="SessionOptions.Path"/>: <c>GET sign-in</c> (with <c>return_to</c>, a path of this application, and for a step-up
    /// <c>acr_values</c> and <c>max_age</c>) leads to the provider; <c>GET callback</c> is where it leads back to; <c>POST sign-out</c> ends the
    /// session here and tells where to go on to end it at the provider (303 to a page, otherwise JSON <c>{"location": ...}</c>);
    /// <c>POST back-channel-logout</c> is for the provider.
    /// </summary>
    /// <param name="endpoints">The application.</param>
    /// <param name="authenticationScheme">A scheme added by <c>AddIdPSession</c>.</param>
    /// <exception cref="InvalidOperationException">The scheme is of another kind.</exception>
    public static void MapIdPSession(this IEndpointRouteBuilder endpoints, string authenticationScheme = TokenValidationDefaults.SessionScheme)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        var services = endpoints.ServiceProvider;
        var options = services.GetRequiredService<IOptionsMonitor<TokenValidationOptions>>().Get(authenticationScheme);
        if (options.Kind != CredentialKind.Session) throw new InvalidOperationException($"The scheme {authenticationScheme} must be added by AddIdPSession.");
        var handlers = new SessionEndpoints(authenticationScheme, options, services.GetRequiredService<ILoggerFactory>().CreateLogger("IdP.TokenValidation"));
        var group = endpoints.MapGroup(options.Session.Path).AllowAnonymous().ExcludeFromDescription();
        group.MapGet("/sign-in", handlers.SignIn);
        group.MapGet("/callback", handlers.Callback);
        group.MapPost("/sign-out", handlers.SignOut);
        group.MapPost("/back-channel-logout", handlers.BackChannelLogout);
    }
}

internal sealed partial class SessionEndpoints(string scheme, TokenValidationOptions options, ILogger logger)
{
    private const string NotReached = "The provider cannot be reached at the moment.";
    private static readonly TimeSpan SignInTime = TimeSpan.FromMinutes(10);
    private readonly SessionOptions _session = options.Session;

    private BrowserSessions Sessions => options.Validator!.Sessions;

    private string Cookie => options.Carriers[0].Name;

    /// <summary>Leads to the provider (OpenID Connect Core §3.1.2.1), with PKCE, state and nonce.</summary>
    public async Task SignIn(HttpContext http)
    {
        NoStore(http);
        var returnTo = http.Request.Query["return_to"] is { Count: 1 } given ? given.ToString() : "/";

        // Only a path: a sign-in page that leads to any address is an open redirect.
        if (!SessionOptions.IsPath(returnTo) || http.Request.Query["return_to"].Count > 1) { await Problem(http, 400, "return_to must be one path of this application."); return; }
        if (StepUp(http.Request.Query) is not { } stepUp) { await Problem(http, 400, "acr_values must be one list of values, max_age one number of seconds."); return; }
        if (await Sessions.Provider.Endpoints(http.RequestAborted) is not { } endpoints) { await Unavailable(http); return; }
        var pending = PendingSignIn.Begin(returnTo, options.TimeProvider!.GetUtcNow() + SignInTime);
        http.Response.Cookies.Append(PendingCookie(pending.State), Sessions.Pending.Seal(pending), CookieSettings(SignInTime));
        Dictionary<string, string?> query = new(stepUp)
        {
            ["response_type"] = "code",
            ["client_id"] = options.ClientId,
            ["redirect_uri"] = Address(http, _session.CallbackPath),
            ["scope"] = string.Join(' ', _session.Scopes),
            ["state"] = pending.State,
            ["nonce"] = pending.Nonce,
            ["code_challenge"] = pending.CodeChallenge,
            ["code_challenge_method"] = "S256",
        };

        // RFC 8707 §2: the token is to be for this API.
        if (Uri.TryCreate(options.Audiences[0], UriKind.Absolute, out _)) query["resource"] = options.Audiences[0];
        http.Response.Redirect(QueryHelpers.AddQueryString(endpoints.Authorize.AbsoluteUri, query));
    }

    /// <summary>Takes the provider's answer.</summary>
    public async Task Callback(HttpContext http)
    {
        NoStore(http);
        var query = http.Request.Query;
        if (query.Any(parameter => parameter.Value.Count > 1) || query["state"].ToString() is not { Length: > 16 } state || query.ContainsKey("code") == query.ContainsKey("error"))
        {
            await ShowProblem(http, 400, "This is no answer to a sign-in.");
            return;
        }

        // RFC 6749 §10.12: the answer must be to a question of this browser.
        var sealedText = new Carrier(CarrierPlace.Cookie, PendingCookie(state)).Find(http.Request).Text;
        http.Response.Cookies.Delete(PendingCookie(state), CookieSettings(null));
        if (sealedText is null || Sessions.Pending.Open(sealedText, options.TimeProvider!.GetUtcNow()) is not { } pending || pending.State != state)
        {
            await ShowProblem(http, 400, "This sign-in was not begun in this browser, or too long ago: sign in again.");
            return;
        }

        if (await Sessions.Provider.Endpoints(http.RequestAborted) is not { } endpoints) { await ShowUnavailable(http); return; }

        // RFC 9207 §2.4: somebody else's answer must not be taken for this provider's.
        var issuer = query["iss"].ToString();
        if (issuer != options.Issuer && (issuer.Length > 0 || endpoints.SendsIssuer)) { await ShowProblem(http, 400, "The answer is from another provider."); return; }
        if (query.ContainsKey("error"))
        {
            var error = query["error"].ToString();
            await ShowProblem(http, error == "access_denied" ? 403 : 400, "The provider did not sign in.", Scope.IsToken(error) && error.Length < 100 ? error : null);
            return;
        }

        await Redeem(http, endpoints, pending, query["code"].ToString());
    }

    /// <summary>Ends the session here and says where to end it at the provider (OpenID Connect RP-Initiated Logout §2).</summary>
    public async Task SignOut(HttpContext http)
    {
        NoStore(http);
        var result = await http.AuthenticateAsync(scheme);
        if (result.Failure is RefusedCredentialException { Refusal.Status: 400 or 403 }) { await http.ChallengeAsync(scheme); return; }
        var location = http.Request.PathBase + _session.SignedOutPath;
        if (options.Carriers[0].Find(http.Request).Text is { } handle && Sessions.Store.Find(handle) is { } session)
        {
            var endpoints = await Sessions.Provider.Endpoints(http.RequestAborted);
            await Sessions.End(handle, session, endpoints);
            if (endpoints?.EndSession is { } endSession)
            {
                location = QueryHelpers.AddQueryString(endSession.AbsoluteUri, new Dictionary<string, string?>
                {
                    ["id_token_hint"] = session.IdToken,
                    ["client_id"] = options.ClientId,
                    ["post_logout_redirect_uri"] = Address(http, _session.SignedOutPath),
                });
            }
        }

        http.Response.Cookies.Delete(Cookie, CookieSettings(null));
        if (http.Request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase))
        {
            http.Response.StatusCode = StatusCodes.Status303SeeOther;
            http.Response.Headers.Location = location;
            return;
        }

        http.Response.ContentType = "application/json";
        await http.Response.WriteAsync($$"""{"location":"{{JsonEncodedText.Encode(location)}}"}""", http.RequestAborted);
    }

    /// <summary>The provider has ended a session of its own (OpenID Connect Back-Channel Logout §2.5 to §2.8).</summary>
    public async Task BackChannelLogout(HttpContext http)
    {
        NoStore(http);
        var (claims, problem) = await LogoutToken(http);
        if (claims is null)
        {
            LogRefusedLogout(logger, problem!);
            http.Response.StatusCode = StatusCodes.Status400BadRequest;
            http.Response.ContentType = "application/json";
            await http.Response.WriteAsync($$"""{"error":"invalid_request","error_description":"{{problem}}"}""", http.RequestAborted);
            return;
        }

        var (subject, sid) = (claims.Subject, claims.GetString("sid"));
        Sessions.Store.RemoveAll(session => sid is not null ? session.Sid == sid : session.Subject == subject);
    }

    private async Task Redeem(HttpContext http, ProviderEndpoints endpoints, PendingSignIn pending, string code)
    {
        try
        {
            var (answer, error) = await Sessions.Provider.AskForTokens(
                endpoints, new("grant_type", "authorization_code"), new("code", code), new("redirect_uri", Address(http, _session.CallbackPath)), new("code_verifier", pending.Verifier));
            var (handle, problem) = answer is { } tokens ? await Sessions.Begin(tokens, pending, http.RequestAborted) : (null, $"The code was refused: {error}");
            if (handle is null)
            {
                LogFailed(logger, options.Issuer!, problem!);
                await ShowProblem(http, StatusCodes.Status502BadGateway, "The provider's answer cannot be used: sign in again.");
                return;
            }

            // Whoever was signed in before in this browser is not any more.
            if (options.Carriers[0].Find(http.Request).Text is { } old) Sessions.Store.Remove(old);
            http.Response.Cookies.Append(Cookie, handle, CookieSettings(_session.Lifetime));
            http.Response.Redirect(http.Request.PathBase + pending.ReturnTo);
        }
        catch (ProviderException e)
        {
            LogFailed(logger, options.Issuer!, e.Message);
            await ShowUnavailable(http);
        }
    }

    private async Task<(IdP.Protocol.Jose.JwtClaims? Claims, string? Problem)> LogoutToken(HttpContext http)
    {
        if (!http.Request.HasFormContentType) return (null, "The body is not a form");
        var reader = new FormPipeReader(http.Request.BodyReader) { ValueCountLimit = 16, ValueLengthLimit = IdP.Protocol.Jose.SignedJwt.MaximumLength };
        string token;
        try
        {
            var form = await reader.ReadFormAsync(http.RequestAborted);
            if (!form.TryGetValue("logout_token", out var values) || values.Count != 1) return (null, "The form does not have one logout_token");
            token = values.ToString();
        }
        catch (InvalidDataException)
        {
            return (null, "The form is too long");
        }

        var (claims, problem) = await Sessions.Provider.Check(token, type => string.Equals(type, "logout+jwt", StringComparison.OrdinalIgnoreCase), http.RequestAborted);
        if (claims is null) return (null, problem);
        if (!claims.TryGet("events", out var events) || events.ValueKind != JsonValueKind.Object || !events.TryGetProperty("http://schemas.openid.net/event/backchannel-logout", out _))
            return (null, "The token is not about a sign-out");
        if (claims.TryGet("nonce", out _)) return (null, "The token has a nonce, as an ID token has");
        return claims.Subject is null && claims.GetString("sid") is null ? (null, "The token names nobody") : (claims, null);
    }

    // RFC 9470 §4: what a challenge asked for is passed on as it is.
    private static Dictionary<string, string?>? StepUp(IQueryCollection query)
    {
        Dictionary<string, string?> passed = new(StringComparer.Ordinal);
        if (query["acr_values"] is { Count: > 0 } values)
        {
            if (values.Count > 1 || values.ToString() is not { Length: > 0 and < 500 } text || !text.Split(' ').All(Scope.IsToken)) return null;
            passed["acr_values"] = text;
        }

        if (query["max_age"] is { Count: > 0 } ages)
        {
            if (ages.Count > 1 || !int.TryParse(ages.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var age)) return null;
            passed["max_age"] = age.ToString(CultureInfo.InvariantCulture);
        }

        return passed;
    }

    // One for each sign-in, so that two tabs do not disturb each other.
    private string PendingCookie(string state) => $"{(_session.IsSecure ? "__Host-" : "")}sign-in-{new string([.. state.Take(16).Where(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')])}";

    // Lax: the browser comes back from the provider by a link. Forms and scripts of other sites get neither cookie.
    private CookieOptions CookieSettings(TimeSpan? life) =>
        new() { HttpOnly = true, Secure = _session.IsSecure, SameSite = SameSiteMode.Lax, Path = "/", MaxAge = life, IsEssential = true };

    private string Address(HttpContext http, string path) =>
        (_session.PublicUrl ?? $"{http.Request.Scheme}://{http.Request.Host.ToUriComponent()}") + http.Request.PathBase.ToUriComponent() + path;

    private static void NoStore(HttpContext http)
    {
        http.Response.Headers.CacheControl = "no-store";
        http.Response.Headers["Referrer-Policy"] = "no-referrer";
    }

    private static Task Problem(HttpContext http, int status, string detail, string? error = null) =>
        Results.Problem(detail, statusCode: status, extensions: error is null ? null : [new("error", error)]).ExecuteAsync(http);

    // Whoever comes back from the provider is a person in a browser: they read a page, from which they can try again.
    private Task ShowProblem(HttpContext http, int status, string detail, string? error = null)
    {
        if (!http.Request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase)) return Problem(http, status, detail, error);
        http.Response.StatusCode = status;
        http.Response.ContentType = "text/html; charset=utf-8";
        http.Response.Headers.ContentSecurityPolicy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
        var encoder = HtmlEncoder.Default;
        var reason = error is null ? "" : $"<p><code>{encoder.Encode(error)}</code></p>";
        return http.Response.WriteAsync(
            $"""
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Not signed in</title></head>
            <body><h1>Not signed in</h1><p>{encoder.Encode(detail)}</p>{reason}<p><a href="{encoder.Encode(http.Request.PathBase + _session.SignInPath)}">Sign in</a></p></body></html>

            """, http.RequestAborted);
    }

    private Task ShowUnavailable(HttpContext http) => ShowProblem(http, StatusCodes.Status503ServiceUnavailable, NotReached);

    private static Task Unavailable(HttpContext http) => Problem(http, StatusCodes.Status503ServiceUnavailable, NotReached);

    [LoggerMessage(6, LogLevel.Warning, "A sign-in with the provider {Issuer} failed: {Problem}")]
    private static partial void LogFailed(ILogger logger, string issuer, string problem);

    [LoggerMessage(7, LogLevel.Warning, "A logout token was refused: {Problem}")]
    private static partial void LogRefusedLogout(ILogger logger, string problem);
}
