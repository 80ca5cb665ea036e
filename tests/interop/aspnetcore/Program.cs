// An API that accepts the provider's access tokens. It knows the provider's address and its own name there, nothing else.
using System.Security.Claims;
using Microsoft.AspNetCore.Authentication.JwtBearer;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddAuthentication(JwtBearerDefaults.AuthenticationScheme).AddJwtBearer(options =>
{
    options.Authority = builder.Configuration["Authority"];
    options.Audience = builder.Configuration["Audience"];
    options.MapInboundClaims = false;
    options.TokenValidationParameters.ValidTypes = ["at+jwt"];
    options.TokenValidationParameters.NameClaimType = "sub";
});
builder.Services.AddAuthorizationBuilder()
    .AddPolicy("items:read", policy => policy.RequireAssertion(context => HasScope(context.User, "items:read")));

var app = builder.Build();
app.MapGet("/health", () => "ready");
app.MapGet("/items", (ClaimsPrincipal user) => new { sub = user.Identity!.Name, client = user.FindFirstValue("client_id") }).RequireAuthorization("items:read");
app.Run();

// One claim with all scopes, separated by spaces (RFC 9068 §2.2.3).
static bool HasScope(ClaimsPrincipal user, string scope) => user.FindFirstValue("scope")?.Split(' ').Contains(scope) == true;
