using IdP.Clients;

namespace IdP.Http;

/// <summary>Calls from browsers: a preflight does not say which client it is for, so it knows any registered origin; the request itself only its client's.</summary>
internal static class Cors
{
    public static void MapPreflight(this IEndpointRouteBuilder app, string path, ClientDirectory clients, string methods = "POST") =>
        app.MapMethods(path, ["OPTIONS"], (RequestDelegate)(http => Preflight(http, clients, methods)));

    public static void AllowOwnOrigin(HttpContext http, Client client)
    {
        var origin = http.Request.Headers.Origin;
        if (origin.Count == 0) return;
        http.Response.Headers.Vary = "Origin";
        if (origin is not [{ } one] || !client.Origins.Contains(one)) return;
        http.Response.Headers.AccessControlAllowOrigin = one;
        http.Response.Headers.AccessControlExposeHeaders = "WWW-Authenticate, Retry-After";
    }

    private static Task Preflight(HttpContext http, ClientDirectory clients, string methods)
    {
        var headers = http.Response.Headers;
        http.Response.StatusCode = 204;
        headers.Vary = "Origin";
        if (http.Request.Headers.Origin is [{ } origin] && clients.IsRegisteredOrigin(origin))
        {
            headers.AccessControlAllowOrigin = origin;
            headers.AccessControlAllowMethods = methods;
            headers.AccessControlAllowHeaders = "Authorization, Content-Type, X-Requested-With";
            headers.AccessControlMaxAge = "600";
        }
        return Task.CompletedTask;
    }
}
