namespace IdP.Ui;

/// <summary>
/// Owns what pages have in common: the framework that they run in (<see cref="Pages"/>), their frame and style, their texts in every
/// language, the headers that keep them to themselves (<see cref="PageHeaders"/>), antiforgery, what holds for each of them
/// (<see cref="PageRules"/>), what a browser carries from one to the next (<see cref="BrowserSeal"/>), and the error page. The pages
/// themselves are in the folders of their features.
/// </summary>
internal static class UiFeature
{
    public static void AddUi(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<Stylesheet>();
        builder.Services.AddSingleton<PostedRequests>();
        builder.Services.AddSingleton<BrowserSeal>();
        // Asked when the pages are built, so that every feature has registered what it has by then.
        var features = builder.Services.Select(service => service.ServiceType).Where(type => type.Assembly == typeof(UiFeature).Assembly).Distinct();
        builder.Services.AddSingleton(server => new Pages(server, features));
        builder.Services.AddHostedService<PagesAtStart>();
    }

    /// <summary>Pages answer what no other endpoint is for.</summary>
    public static void UsePages(this WebApplication app)
    {
        var pages = app.Services.GetRequiredService<Pages>();
        app.Use(next => http => http.GetEndpoint() is null ? pages.Handle(http) : next(http));
    }

    public static void MapUi(this WebApplication app)
    {
        var style = app.Services.GetRequiredService<Stylesheet>();
        app.MapGet(style.Path, (RequestDelegate)style.Respond);
    }

    private sealed class PagesAtStart(Pages pages, ILogger<PagesAtStart> log) : BackgroundService
    {
        // Whoever waits for a token at the start goes first.
        private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            await Task.Delay(Pause, stoppingToken);
            try
            {
                _ = pages.Services;
                // What the start has left behind goes back to the machine.
                GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            }
            catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
            {
                log.LogError(failure, "The pages could not be made");
            }
        }
    }
}
