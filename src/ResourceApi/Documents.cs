namespace ResourceApi;

/// <summary>
/// The interactive documents: <c>/openapi/v1.json</c>, which the library fills with schemes and requirements by itself, and Swagger UI at
/// <c>/docs</c>, whose Authorize button signs in at the provider as the client <c>demo-docs</c>.
/// </summary>
internal static class Documents
{
    public static void AddDocuments(this IServiceCollection services) => services.AddOpenApi(options => options.AddDocumentTransformer((document, _, _) =>
    {
        document.Info.Title = "The sample API";
        document.Info.Description = "Items, protected in every way. Press Authorize: OAuth2 signs in as alice or bob, or as the service demo-service.";
        return Task.CompletedTask;
    }));

    public static void UseDocuments(this WebApplication app, Settings settings)
    {
        app.MapOpenApi();
        app.Use((http, next) =>
        {
            // All of its files are part of this program; it talks to this API and to the provider.
            if (http.Request.Path.StartsWithSegments("/docs", StringComparison.OrdinalIgnoreCase))
                http.Response.Headers.ContentSecurityPolicy = $"default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self' {settings.Issuer}; frame-ancestors 'none'; base-uri 'none'";
            return next(http);
        });
        app.UseSwaggerUI(ui =>
        {
            ui.RoutePrefix = "docs";
            ui.DocumentTitle = "The sample API";
            ui.SwaggerEndpoint("/openapi/v1.json", "The sample API");
            ui.OAuthClientId(settings.DocsClientId);
            ui.OAuthUsePkce();
            ui.EnablePersistAuthorization();
        });
    }
}
