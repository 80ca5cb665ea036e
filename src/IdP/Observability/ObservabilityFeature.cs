using IdP.Storage;
using Serilog;
using Serilog.Events;
using Serilog.Settings.Configuration;

namespace IdP.Observability;

/// <summary>
/// Owns what operators see: the log (readable lines in Development, one JSON object a line otherwise; levels only from
/// Serilog:MinimumLevel) and the health endpoints. /health/live says that the process answers, /health/ready that it may issue tokens.
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

    public static void MapHealth(this WebApplication app)
    {
        var poll = app.Services.GetRequiredService<ChangePoll>();
        app.MapGet("/health/live", (RequestDelegate)(http => Respond(http, 200, "live")));
        app.MapGet("/health/ready", (RequestDelegate)(async http =>
        {
            var fresh = await poll.IsFresh(http.RequestAborted);
            await Respond(http, fresh ? 200 : 503, fresh ? "ready" : "the database does not answer");
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
