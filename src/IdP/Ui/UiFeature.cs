using IdP.Http;
using Microsoft.AspNetCore.DataProtection;

namespace IdP.Ui;

/// <summary>
/// Owns what pages have in common: their frame and style, their texts in every language, the headers that keep them to themselves
/// (<see cref="PageHeaders"/>), antiforgery, what holds for each of them (<see cref="PageRules"/>), what a browser carries from one to the
/// next (<see cref="BrowserSeal"/>), and the error page. The pages themselves are in the folders of their features.
/// </summary>
internal static class UiFeature
{
    public static void AddUi(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<Stylesheet>();
        builder.Services.AddSingleton<PostedRequests>();
        builder.Services.AddSingleton<BrowserSeal>();
        builder.Services.AddRazorPages().WithRazorPagesAtContentRoot().AddMvcOptions(options => options.Filters.Add<PageRules>());
        builder.Services.AddSingleton<IDataProtectionProvider, PageProtection>();
        builder.Services.AddAntiforgery();
        builder.Services.AddOptions<Microsoft.AspNetCore.Antiforgery.AntiforgeryOptions>().Configure<Issuer, Cookies>((options, issuer, cookies) =>
        {
            options.Cookie.Name = cookies.Name(Cookies.Form);
            options.Cookie.SecurePolicy = issuer.IsHttps ? CookieSecurePolicy.Always : CookieSecurePolicy.None;
            // Not Strict: a page that an app leads to would replace the cookie of a tab that is open already.
            options.Cookie.SameSite = SameSiteMode.Lax;
            options.Cookie.Path = "/";
            options.FormFieldName = "form_token";
            options.HeaderName = null;
            options.SuppressXFrameOptionsHeader = true;
        });
    }

    public static void MapUi(this WebApplication app)
    {
        app.MapRazorPages();
        app.MapGet(Stylesheet.Path, (RequestDelegate)app.Services.GetRequiredService<Stylesheet>().Respond);
    }
}
