using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace IdP.TokenValidation.Tests.Setup;

/// <summary>What is wrong stops the application at its start and is named.</summary>
public sealed class Options
{
    public static TheoryData<string, Action<TokenValidationOptions>> Wrong => new()
    {
        { "Issuer", o => o.Issuer = null },
        { "Issuer", o => o.Issuer = "" },
        { "Issuer", o => o.Issuer = "idp.example" },
        { "Issuer", o => o.Issuer = "http://idp.example" },
        { "Issuer", o => o.Issuer = "ftp://127.0.0.1" },
        { "Issuer", o => o.Issuer = "https://idp.example?x" },
        { "Issuer", o => o.Issuer = "https://idp.example#x" },
        { "Issuer", o => o.Issuer = "https://user@idp.example" },
        { "Audiences", o => o.Audiences.Clear() },
        { "Audiences", o => o.Audiences.Add("") },
        { "Mode", o => o.Mode = (TokenValidationMode)7 },
        { "ClientId", o => o.Mode = TokenValidationMode.Introspection },
        { "ClientSecret", o => (o.Mode, o.ClientId) = (TokenValidationMode.Introspection, "api") },
        { "AllowedAlgorithms", o => o.AllowedAlgorithms.Clear() },
        { "AllowedAlgorithms", o => o.AllowedAlgorithms.Add("HS256") },
        { "AllowedAlgorithms", o => o.AllowedAlgorithms.Add("none") },
        { "ClockSkew", o => o.ClockSkew = TimeSpan.FromSeconds(-1) },
        { "ClockSkew", o => o.ClockSkew = TimeSpan.FromMinutes(6) },
        { "MinimumRefreshInterval", o => o.MinimumRefreshInterval = TimeSpan.Zero },
        { "RefreshInterval", o => o.RefreshInterval = TimeSpan.FromSeconds(2) },
        { "MaximumKeyAge", o => o.MaximumKeyAge = TimeSpan.FromMinutes(1) },
        { "BackchannelTimeout", o => o.BackchannelTimeout = TimeSpan.Zero },
        { "IntrospectionCacheDuration", o => o.IntrospectionCacheDuration = TimeSpan.FromHours(1) },
        { "SignatureCacheSize", o => o.SignatureCacheSize = -1 },
        { "SharedSecret", o => o.SharedSecret = "short" },
        { "Audiences", o => { o.SharedSecret = new string('A', 43); o.Audiences.Add("urn:another"); } },
        { "SharedSecret", o => (o.SharedSecret, o.Mode, o.ClientId, o.ClientSecret) = (new string('A', 43), TokenValidationMode.Introspection, "a", "b") },
        { "Resource", o => o.Resource = "urn:test:api" },
        { "Resource", o => o.Resource = "https://api.example/#x" },
        { "CsrfHeader", o => o.CsrfHeader = "a b" },
        { "Realm", o => o.Realm = "a\"b" },
        { "Realm", o => o.Realm = "a\r\nb" },
        { "Realm", o => o.Audiences[0] = "urn:é" },
    };

    [Theory, MemberData(nameof(Wrong), DisableDiscoveryEnumeration = true)]
    public async Task A_wrong_option_stops_the_start_and_is_named(string name, Action<TokenValidationOptions> change)
    {
        var problem = await Assert.ThrowsAsync<OptionsValidationException>(() => StartAndStop(change));
        Assert.Contains(name, problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public Task The_smallest_set_of_options_starts() => StartAndStop(_ => { });

    [Fact]
    public Task A_provider_on_the_loopback_address_may_speak_http() => StartAndStop(o => o.Issuer = "http://localhost:5000");

    [Fact]
    public Task A_provider_elsewhere_may_speak_http_if_it_is_said() => StartAndStop(o => (o.Issuer, o.RequireHttps) = ("http://idp.internal", false));

    [Fact]
    public async Task Nothing_is_asked_of_the_provider_before_the_first_token()
    {
        await using var issuer = await FakeIssuer.Start();
        await using var api = await TestApi.Local(issuer, new SteppedClock());
        await api.Get("/read", null);
        Assert.Equal(0, issuer.Requests(FakeIssuer.DiscoveryPath));
    }

    [Fact]
    public async Task A_handler_of_ones_own_sends_the_requests()
    {
        await using var issuer = await FakeIssuer.Start();
        var clock = new SteppedClock();
        using var handler = new Counting();
        await using var api = await TestApi.Local(issuer, clock, options => options.BackchannelHttpHandler = handler);
        Assert.Equal(200, (await api.Get("/read", issuer.Token(clock))).Status);
        Assert.Equal(2, handler.Count);
    }

    [Theory]
    [InlineData(TokenValidationMode.Local)]
    [InlineData(TokenValidationMode.Introspection)]
    public async Task A_handler_of_ones_own_that_throws_is_a_provider_that_cannot_be_reached(TokenValidationMode mode)
    {
        await using var issuer = await FakeIssuer.Start();
        var clock = new SteppedClock();
        using var handler = new Counting { Throws = true };
        await using var api = await TestApi.Introspecting(issuer, clock, options => (options.Mode, options.BackchannelHttpHandler) = (mode, handler));
        Assert.Equal(503, (await api.Get("/read", issuer.Token(clock))).Status);
        Assert.Equal(1, handler.Count);
    }

    private static async Task StartAndStop(Action<TokenValidationOptions> change)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddIdPTokenValidation(options =>
        {
            options.Issuer = "https://idp.example";
            options.Audiences.Add("urn:test:api");
            change(options);
        });
        await using var app = builder.Build();
        await app.StartAsync();
        await app.StopAsync();
    }

    private sealed class Counting : DelegatingHandler
    {
        public Counting()
            : base(new SocketsHttpHandler())
        {
        }

        public int Count { get; private set; }

        public bool Throws { get; init; }

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Count++;
            if (Throws) throw new NotSupportedException("the circuit is open");
            return base.SendAsync(request, cancellationToken);
        }
    }
}
