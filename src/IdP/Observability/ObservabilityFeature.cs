using IdP.Http;
using IdP.Storage;
using Serilog;
using Serilog.Events;
using Serilog.Settings.Configuration;

namespace IdP.Observability;

/// <summary>
/// Owns what operators see: the log (readable lines in Development, one JSON object a line otherwise; levels only from
/// Serilog:MinimumLevel), the health endpoints, figures and traces. /health/live says that the process answers, /health/ready that it may issue tokens.
/// Instruments are in <see cref="Telemetry"/> and <see cref="StateGauges"/>, and counted are requests in <see cref="RequestWatch"/>; they do
/// nothing until <see cref="Watching"/>, which is there only when Metrics:Urls or Telemetry:OtlpEndpoint is set, has them listened to.
/// </summary>
internal static class ObservabilityFeature
{
    public static void AddObservability(this WebApplicationBuilder builder)
    {
        var configuration = new LoggerConfiguration()
            .MinimumLevel.Information()
            .MinimumLevel.Override("Microsoft", LogEventLevel.Warning)
            // Addresses are ours to bind (Http/HttpFeature.cs); the listener warns that its own setting is not used.
            .MinimumLevel.Override("Microsoft.AspNetCore.Server.Kestrel", LogEventLevel.Error)
            .MinimumLevel.Override("System", LogEventLevel.Warning)
            .MinimumLevel.Override("Microsoft.Hosting.Lifetime", LogEventLevel.Information)
            .ReadFrom.Configuration(builder.Configuration, new ConfigurationReaderOptions(typeof(ConsoleLoggerConfigurationExtensions).Assembly));
        configuration = builder.Environment.IsDevelopment()
            ? configuration.WriteTo.Console(outputTemplate: "{Timestamp:HH:mm:ss} {Level:u3} {Message:lj} {TraceId}{NewLine}{Exception}", formatProvider: System.Globalization.CultureInfo.InvariantCulture)
            : configuration.WriteTo.Sink(new JsonLines());
        builder.Logging.ClearProviders();
        builder.Logging.SetMinimumLevel(LogLevel.Trace);
        // These quote URLs with their query, request lines and headers, where secrets end up by mistake: silent at every level that can be configured.
        builder.Logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.Critical);
        builder.Logging.AddFilter("Microsoft.AspNetCore.Server.Kestrel.BadRequests", LogLevel.None);
        builder.Logging.AddFilter("Microsoft.AspNetCore.Routing", LogLevel.Information);
        // At Trace it quotes what was typed into forms.
        builder.Logging.AddFilter("Microsoft.AspNetCore.Mvc", LogLevel.Debug);
        builder.Logging.AddSerilog(configuration.CreateLogger(), dispose: true);
    }

    /// <summary>Nothing of it is there unless somebody wants figures or traces: no library is loaded, no request counted.</summary>
    public static void AddWatching(this IServiceCollection services, IdpOptions options)
    {
        if (!IsWatched(options)) return;
        services.AddSingleton<Backlogs>();
        services.AddHostedService(provider => provider.GetRequiredService<Backlogs>());
        services.AddSingleton<StateGauges>();
        services.AddHostedService<Watching>();
    }

    /// <summary>Outside of everything else that a request goes through, so that it knows how it ended.</summary>
    public static void UseWatching(this WebApplication app)
    {
        if (IsWatched(app.Services.GetRequiredService<IdpOptions>())) app.UseMiddleware<RequestWatch>();
    }

    public static void CheckTelemetry(TelemetryOptions options)
    {
        if (options.OtlpEndpoint is { Length: > 0 } endpoint && !(Uri.TryCreate(endpoint, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" && url.UserInfo.Length == 0 && url.Query.Length == 0))
            throw new ConfigurationException($"Telemetry:OtlpEndpoint is '{endpoint}': the address of a collector looks like http://127.0.0.1:4318.");
        if (options.OtlpProtocol is not ("http/protobuf" or "grpc")) throw new ConfigurationException($"Telemetry:OtlpProtocol is '{options.OtlpProtocol}': it must be http/protobuf or grpc.");
    }

    private static bool IsWatched(IdpOptions options) => options.Metrics.Urls.Length > 0 || options.Telemetry.OtlpEndpoint is { Length: > 0 };

    public static void MapHealth(this WebApplication app)
    {
        var poll = app.Services.GetRequiredService<ChangePoll>();
        app.MapGet("/health/live", (RequestDelegate)(http => Respond(http, 200, "live")));
        app.MapGet("/health/ready", (RequestDelegate)(async http =>
        {
            var refusal = await poll.Refusal(http.RequestAborted);
            if (refusal is not null) http.Response.Headers.RetryAfter = refusal.RetryAfter.ToString();
            await Respond(http, refusal?.Status ?? 200, refusal is null ? "ready" : refusal.Detail ?? "the database does not answer");
        }));
    }

    private static Task Respond(HttpContext http, int status, string text)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "text/plain";
        http.Response.Headers.CacheControl = "no-store";
        return http.Response.WriteAsync(text, http.RequestAborted);
    }
}
