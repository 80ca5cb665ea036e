using System.Buffers;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace IdP.TokenValidation;

/// <summary>Asks for scopes.</summary>
public static class ScopeAuthorization
{
    /// <summary>Lets only requests through whose token has all these scopes; others get 403 <c>insufficient_scope</c> with the missing ones.</summary>
    /// <remarks>May be called several times, on groups too: all scopes add up.</remarks>
    /// <exception cref="ArgumentException">No scope is given, or one is not a scope by RFC 6749 §3.3.</exception>
    public static TBuilder RequireScope<TBuilder>(this TBuilder builder, params string[] scopes)
        where TBuilder : IEndpointConventionBuilder
    {
        var policy = new AuthorizationPolicyBuilder().RequireAuthenticatedUser().RequireScope(scopes).Build();
        return builder.RequireAuthorization(policy);
    }

    /// <summary>Asks for all these scopes in a policy.</summary>
    /// <exception cref="ArgumentException">No scope is given, or one is not a scope by RFC 6749 §3.3.</exception>
    public static AuthorizationPolicyBuilder RequireScope(this AuthorizationPolicyBuilder builder, params string[] scopes)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(scopes);
        if (scopes.Length == 0 || !Array.TrueForAll(scopes, Scope.IsToken))
            throw new ArgumentException("Scopes must be given one by one, without spaces, quotes and backslashes.", nameof(scopes));
        return builder.AddRequirements(new ScopeRequirement([.. scopes]));
    }
}

/// <summary>The list of scopes as it stands in tokens.</summary>
internal static class Scope
{
    // RFC 6749 §3.3: %x21 / %x23-5B / %x5D-7E.
    private static readonly SearchValues<char> TokenCharacters =
        SearchValues.Create([.. Enumerable.Range(0x21, 0x7E - 0x20).Select(c => (char)c).Where(c => c is not ('"' or '\\'))]);

    public static bool IsToken(string? text) => !string.IsNullOrEmpty(text) && !text.AsSpan().ContainsAnyExcept(TokenCharacters);

    /// <summary>Scopes are separated by one space; what is not a scope between two spaces is no scope.</summary>
    public static IEnumerable<string> Split(string text) => text.Split(' ').Where(IsToken).Distinct(StringComparer.Ordinal);
}

/// <summary>Checks itself: the framework calls requirements that are handlers too.</summary>
internal sealed class ScopeRequirement(string[] scopes) : AuthorizationHandler<ScopeRequirement>, IAuthorizationRequirement
{
    private static readonly object MissingKey = new();

    /// <summary>The scopes that a request lacked; null if it failed for another reason.</summary>
    public static IReadOnlyList<string>? Missing(HttpContext http) => http.Items[MissingKey] as List<string>;

    /// <inheritdoc/>
    public override string ToString() => "Scopes: " + string.Join(' ', scopes);

    /// <inheritdoc/>
    protected override Task HandleRequirementAsync(AuthorizationHandlerContext context, ScopeRequirement requirement)
    {
        var missing = requirement.FindMissing(context);
        if (missing.Count == 0)
        {
            context.Succeed(requirement);
        }
        else if (context.Resource is HttpContext http)
        {
            // For the answer: RFC 6750 §3.1 lets it name the scopes that are needed.
            var all = http.Items[MissingKey] as List<string> ?? [];
            all.AddRange(missing.Except(all, StringComparer.Ordinal));
            http.Items[MissingKey] = all;
        }

        return Task.CompletedTask;
    }

    private List<string> FindMissing(AuthorizationHandlerContext context)
    {
        List<string> missing = [];
        foreach (var scope in scopes)
        {
            if (!context.User.HasClaim("scope", scope)) missing.Add(scope);
        }

        return missing;
    }
}
