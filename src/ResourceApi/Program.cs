using IdP.TokenValidation;
using Microsoft.Extensions.Options;
using ResourceApi;

// The sample API: items, protected in every way that the library knows. It knows the provider by its address only. Read Ways.cs for how
// callers prove who they are, Policies.cs for what they may do, Documents.cs for the interactive documents, Settings.cs for what can be set.
try
{
    var builder = WebApplication.CreateSlimBuilder(args);
    var settings = Settings.Read(builder.Configuration);
    builder.WebHost.UseUrls(settings.Urls).UseKestrelHttpsConfiguration();
    builder.WebHost.ConfigureKestrel(kestrel =>
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = 16 * 1024;
    });

    builder.Services.AddWays(settings);
    builder.Services.AddPolicies();
    builder.Services.AddDocuments();
    builder.Services.AddSingleton<ItemStore>();
    builder.Services.AddProblemDetails();
    builder.Services.Configure<RouteHandlerOptions>(options => options.ThrowOnBadRequest = false);
    builder.Services.ConfigureHttpJsonOptions(options => ItemJson.Configure(options.SerializerOptions));
    builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
    // The failure to start is told in one sentence below.
    builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);

    var app = builder.Build();
    app.UseExceptionHandler();
    app.UseStatusCodePages();
    app.UseDocuments(settings);
    app.MapGet("/health/live", () => TypedResults.Text("live")).ExcludeFromDescription();
    app.MapWays(settings);
    app.MapPolicies();

    await app.RunAsync();
    return 0;
}
catch (Exception problem) when (problem is SettingException or OptionsValidationException or AggregateException or IOException or FormatException or InvalidOperationException)
{
    // Two schemes with the same wrong setting come as an aggregate.
    var message = (problem as AggregateException)?.InnerExceptions[0].Message ?? problem.Message;
    await Console.Error.WriteLineAsync($"The resource API cannot start: {message}");
    return 1;
}
