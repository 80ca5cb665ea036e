using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace IdP.TokenValidation.Tests.Schemes;

/// <summary>The library leaves the framework's way out where nothing of the application is on it; what is on it is asked and heard as ever.</summary>
public sealed class WhatTheApplicationAdds
{
    private const string Path = "/more/read";

    [Fact]
    public async Task With_nothing_added_the_answers_are_the_same_and_a_known_token_ends_with_its_time()
    {
        await using var api = await Start();
        var token = api.Issuer.Token(api.Clock);
        for (var i = 0; i < 3; i++) Assert.Equal((200, "alice"), Answer(await Get(api, Path, token)));
        var lacking = await Get(api, "/more/write", token);
        Assert.Equal((403, "The access token lacks a scope"), (lacking.Status, Sentence(lacking)));
        Assert.Contains("scope=\"items:write\"", lacking.Challenge, StringComparison.Ordinal);
        Assert.Equal(401, (await Get(api, Path, token[..^4] + "AAAA")).Status);
        Assert.Contains(api.Log.Lines, line => line.Contains("Bearer was not authenticated. Failure message:", StringComparison.Ordinal));
        Assert.Equal(401, (await api.Send(new HttpRequestMessage(HttpMethod.Get, Path))).Status);

        api.Clock.Advance(TimeSpan.FromHours(3));
        var late = await Get(api, Path, token);
        Assert.Equal((401, "The token has expired"), (late.Status, Sentence(late)));
    }

    [Fact]
    public async Task A_claim_that_an_endpoint_adds_to_its_user_is_gone_with_the_request()
    {
        await using var api = await Start(endpoints: app => app.MapGet("/taint", (HttpContext http) =>
        {
            http.User.Identities.First().AddClaim(new Claim("scope", "items:write"));
            http.User.Claims.First().Properties["tainted"] = "yes";
            return "";
        }).RequireSchemes("Bearer"));
        var token = api.Issuer.Token(api.Clock);
        Assert.Equal(200, (await Get(api, "/taint", token)).Status);
        Assert.Equal(403, (await Get(api, "/more/write", token)).Status);
        Assert.Equal("0", (await Get(api, "/more/properties", token)).Body);
    }

    [Fact]
    public async Task A_handler_of_the_application_may_refuse_what_the_scopes_allow()
    {
        await using var api = await Start(services => services.AddScoped<IAuthorizationHandler, Veto>());
        Assert.Equal(403, (await Get(api, Path, api.Issuer.Token(api.Clock))).Status);
    }

    [Fact]
    public async Task A_transformation_of_the_application_may_give_what_the_token_lacks()
    {
        await using var api = await Start(services => services.AddTransient<IClaimsTransformation, Promotion>());
        Assert.Equal(200, (await Get(api, "/more/write", api.Issuer.Token(api.Clock))).Status);
    }

    [Fact]
    public async Task Whoever_listens_to_the_framework_s_metrics_hears_every_request()
    {
        IMeterFactory? factory = null;
        await using var api = await Start(endpoints: app => factory = app.Services.GetRequiredService<IMeterFactory>());
        var token = api.Issuer.Token(api.Clock);
        Assert.Equal(200, (await Get(api, Path, token)).Status);

        ConcurrentQueue<string> heard = new();
        using var listener = new MeterListener { InstrumentPublished = (instrument, own) => { if (instrument.Meter.Scope == factory) own.EnableMeasurementEvents(instrument); } };
        listener.SetMeasurementEventCallback<double>((instrument, _, _, _) => heard.Enqueue(instrument.Name));
        listener.SetMeasurementEventCallback<long>((instrument, _, _, _) => heard.Enqueue(instrument.Name));
        listener.Start();
        Assert.Equal(200, (await Get(api, Path, token)).Status);
        // The default scheme is asked by the middleware, the endpoint's by its policy.
        Assert.Equal(2, heard.Count(name => name == "aspnetcore.authentication.authenticate.duration"));
        Assert.Single(heard, "aspnetcore.authorization.attempts");
    }

    private static Task<SchemesApi> Start(Action<IServiceCollection>? services = null, Action<WebApplication>? endpoints = null) => SchemesApi.Start(services, app =>
    {
        var more = app.MapGroup("/more").RequireSchemes("Bearer");
        more.MapGet("/read", (HttpContext http) => http.User.Identity!.Name).RequireScope("items:read");
        more.MapGet("/write", () => "").RequireScope("items:write");
        more.MapGet("/properties", (HttpContext http) => http.User.Claims.Sum(claim => claim.Properties.Count).ToString(System.Globalization.CultureInfo.InvariantCulture));
        endpoints?.Invoke(app);
    }, LogLevel.Information);

    private static Task<ApiAnswer> Get(SchemesApi api, string path, string token) => api.Send(SchemesApi.Request("Bearer", token, path: path));

    private static (int Status, string Body) Answer(ApiAnswer answer) => (answer.Status, answer.Body);

    private static string Sentence(ApiAnswer answer) => answer.Problem["detail"]!.GetValue<string>();

    private sealed class Veto : IAuthorizationHandler
    {
        public Task HandleAsync(AuthorizationHandlerContext context)
        {
            context.Fail();
            return Task.CompletedTask;
        }
    }

    private sealed class Promotion : IClaimsTransformation
    {
        public Task<ClaimsPrincipal> TransformAsync(ClaimsPrincipal principal)
        {
            var identity = new ClaimsIdentity(principal.Identity);
            identity.AddClaim(new Claim("scope", "items:write"));
            return Task.FromResult(new ClaimsPrincipal(identity));
        }
    }
}
