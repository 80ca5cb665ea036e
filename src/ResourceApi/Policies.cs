using System.Security.Claims;
using IdP.TokenValidation;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http.HttpResults;

namespace ResourceApi;

/// <summary>What callers may do: scopes say what the app may, roles and permissions what its user may. The provider has both in its tokens.</summary>
internal static class Policies
{
    private const string Named = "in the same house";

    public static void AddPolicies(this IServiceCollection services) => services.AddAuthorizationBuilder()
        // A policy of ASP.NET Core, by its name: any code may decide.
        .AddPolicy(Named, policy => policy.AddAuthenticationSchemes(Ways.Introspected).RequireAuthenticatedUser()
            .RequireAssertion(context => context.User.FindFirst("client_id")?.Value.StartsWith("demo-", StringComparison.Ordinal) == true));

    public static void MapPolicies(this WebApplication app)
    {
        // Introspected: a role taken away a moment ago is gone.
        var policies = app.MapGroup("/policies").RequireSchemes(Ways.Introspected, Ways.KeyInHeader).WithTags("Policies");

        policies.MapGet("/scopes", Hello).RequireScope("items:read", "items:write").WithSummary("All of these scopes");
        policies.MapGet("/any-scope", Hello).RequireAnyScope("admin", "items:read").WithSummary("Any of these scopes");
        policies.MapGet("/role", Hello).RequireRole("manager", "auditor").WithSummary("Any of these roles");
        policies.MapDelete("/items/{id:int}", Delete).RequireScope("items:write").RequirePermission("items:delete").WithSummary("A scope and a permission");
        policies.MapGet("/either", Hello)
            .RequireAuthorization(p => p.RequireAnyOf(either => either.RequireScope("admin"), or => or.RequireRole("auditor").RequirePermission("items:audit")))
            .WithSummary("One of several combinations");
        policies.MapGet("/audience", Hello).RequireAudience("urn:demo:api").WithSummary("A token for this name of the API");
        policies.MapGet("/fresh", Hello).RequireMaxAge(TimeSpan.FromMinutes(5)).WithSummary("A recent sign-in; otherwise the challenge of RFC 9470");
        policies.MapGet("/strong", Hello).RequireAcr("urn:idp:acr:password").WithSummary("A sign-in of this strength; otherwise the challenge of RFC 9470");
        app.MapGet("/policies/named", [Authorize(Policy = Named)] (ClaimsPrincipal user) => Hello(user)).WithTags("Policies").WithSummary("A policy of ASP.NET Core, by its name");
    }

    private static Ok<Caller> Hello(ClaimsPrincipal user) => TypedResults.Ok(new Caller(
        user.Identity!.Name!, user.Identity.AuthenticationType!, Values(user, "scope"), Values(user, "roles"), Values(user, "permissions")));

    private static Results<NoContent, NotFound> Delete(int id, ItemStore items) => items.Delete(id) ? TypedResults.NoContent() : TypedResults.NotFound();

    private static string[] Values(ClaimsPrincipal user, string type) => [.. user.FindAll(type).Select(claim => claim.Value)];
}

/// <summary>The caller as the API sees it.</summary>
internal sealed record Caller(string Subject, string Scheme, string[] Scopes, string[] Roles, string[] Permissions);
