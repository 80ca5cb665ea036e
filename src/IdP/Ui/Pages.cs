using System.Diagnostics;
using System.Diagnostics.Metrics;
using IdP.Http;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Options;

namespace IdP.Ui;

/// <summary>
/// The pages and their framework (Razor Pages, antiforgery), an application of its own behind the routes of the protocol: what no protocol
/// endpoint answers comes here. It is built a moment after the start, or by the first request that comes earlier, so that no token waits
/// for it; and no protocol request passes through what the framework would add to every request.
/// </summary>
/// <param name="server">The services of the server.</param>
/// <param name="features">Those that pages share with it: what the features have registered.</param>
internal sealed class Pages(IServiceProvider server, IEnumerable<Type> features)
{
    private readonly Lazy<(IServiceProvider Services, RequestDelegate Pipeline)> _application = new(() => Build(server, features));

    /// <summary>Its own services; whoever asks first has them built.</summary>
    public IServiceProvider Services => _application.Value.Services;

    public Task Handle(HttpContext http)
    {
        var (services, pipeline) = _application.Value;
        var scope = services.CreateAsyncScope();
        // Not at the end of this method: the last callbacks of a page run when its answer starts.
        http.Response.RegisterForDisposeAsync(scope);
        http.RequestServices = scope.ServiceProvider;
        return pipeline(http);
    }

    /// <summary>Lets a page answer a request that was for something else; the address in the browser stays.</summary>
    public static Task Show(HttpContext http, string page)
    {
        http.SetEndpoint(null);
        http.Request.RouteValues.Clear();
        (http.Request.Method, http.Request.Path, http.Request.QueryString) = (HttpMethods.Get, page, QueryString.Empty);
        return http.RequestServices.GetRequiredService<Pages>().Handle(http);
    }

    private static (IServiceProvider, RequestDelegate) Build(IServiceProvider server, IEnumerable<Type> features)
    {
        var services = new ServiceCollection();
        foreach (var type in features) services.AddSingleton(type, _ => server.GetRequiredService(type));
        // The framework looks for this one before there is a provider, to find the assembly with the pages.
        services.AddSingleton(server.GetRequiredService<IWebHostEnvironment>());
        foreach (var type in (Type[])[typeof(TimeProvider), typeof(ILoggerFactory), typeof(IMeterFactory), typeof(DiagnosticListener), typeof(DiagnosticSource)])
            services.AddSingleton(type, _ => server.GetRequiredService(type));
        services.AddLogging();
        services.AddRazorPages().WithRazorPagesAtContentRoot().AddMvcOptions(options => options.Filters.Add<PageRules>());
        foreach (var configured in server.GetServices<IConfigureOptions<MvcOptions>>()) services.AddSingleton(configured);
        services.AddSingleton<IDataProtectionProvider, PageProtection>();
        services.AddAntiforgery();
        services.AddOptions<AntiforgeryOptions>().Configure<Issuer, Cookies>(Configure);

        // Never disposed of: what is disposable in it is the server's own, which sees to that.
        var provider = services.BuildServiceProvider();
        var app = new ApplicationBuilder(provider);
        app.UseRouting();
        app.UseEndpoints(endpoints => endpoints.MapRazorPages());
        return (provider, app.Build());
    }

    private static void Configure(AntiforgeryOptions options, Issuer issuer, Cookies cookies)
    {
        options.Cookie.Name = cookies.Name(Cookies.Form);
        options.Cookie.SecurePolicy = issuer.IsHttps ? CookieSecurePolicy.Always : CookieSecurePolicy.None;
        // Not Strict: a page that an app leads to would replace the cookie of a tab that is open already.
        options.Cookie.SameSite = SameSiteMode.Lax;
        options.Cookie.Path = "/";
        options.FormFieldName = "form_token";
        options.HeaderName = null;
        options.SuppressXFrameOptionsHeader = true;
    }
}
