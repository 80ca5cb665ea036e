using IdP.TokenValidation;
using Microsoft.Extensions.Options;
using ResourceApi;

// The sample API: items, once behind tokens that are checked here (/local) and once behind tokens that the provider is asked about
// (/introspected). It knows the provider by its address only. See Settings.cs for what can be set.
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

    // Two ways to check the same tokens. An API of your own needs one of them, as the default scheme:
    // builder.Services.AddIdPTokenValidation(o => { o.Issuer = ...; o.Audiences.Add(...); });
    builder.Services.AddIdPTokenValidation("local", settings.Apply);
    builder.Services.AddIdPTokenValidation("introspected", options =>
    {
        settings.Apply(options);
        options.Mode = TokenValidationMode.Introspection;
        options.ClientId = settings.ClientId;
        options.ClientSecret = settings.ClientSecret;
    });

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
    app.MapGet("/health/live", () => TypedResults.Text("live"));
    foreach (var scheme in (string[])["local", "introspected"])
    {
        app.MapGroup("/" + scheme)
            .RequireAuthorization(policy => policy.AddAuthenticationSchemes(scheme).RequireAuthenticatedUser())
            .MapItems();
    }

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
