using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Options;

namespace IdP.TokenValidation;

/// <summary>The schemes of this library that a policy accepts, in the order of precedence, and every place where their credentials stand.</summary>
internal sealed class AcceptedSchemes
{
    public AcceptedSchemes((string Name, TokenValidationOptions Options)[] schemes, bool hasOthers)
    {
        (Schemes, HasOthers) = (schemes, hasOthers);
        Carriers = [.. schemes.SelectMany(scheme => scheme.Options.Carriers).Distinct()];
    }

    public (string Name, TokenValidationOptions Options)[] Schemes { get; }

    /// <summary>Whether the policy names schemes of other libraries too.</summary>
    public bool HasOthers { get; }

    public Carrier[] Carriers { get; }
}

/// <summary>Works out what a policy accepts, once for each policy: the framework keeps one for each endpoint.</summary>
internal sealed class SchemesOfPolicies(IAuthenticationSchemeProvider schemes, IOptionsMonitor<TokenValidationOptions> options)
{
    private readonly ConditionalWeakTable<AuthorizationPolicy, AcceptedSchemes> _known = [];

    public ValueTask<AcceptedSchemes> Of(AuthorizationPolicy policy) =>
        _known.TryGetValue(policy, out var accepted) ? ValueTask.FromResult(accepted) : new ValueTask<AcceptedSchemes>(Find(policy));

    public (string Name, TokenValidationOptions Options) Named(string name) => (name, options.Get(name));

    private async Task<AcceptedSchemes> Find(AuthorizationPolicy policy)
    {
        List<AuthenticationScheme?> named = [];
        foreach (var name in policy.AuthenticationSchemes) named.Add(await schemes.GetSchemeAsync(name));
        if (named.Count == 0) named.Add(await schemes.GetDefaultAuthenticateSchemeAsync());
        var ours = named.Where(scheme => scheme?.HandlerType == typeof(TokenValidationHandler)).Select(scheme => Named(scheme!.Name)).ToArray();
        var accepted = new AcceptedSchemes(ours, ours.Length < named.Count);
        _known.AddOrUpdate(policy, accepted);
        return accepted;
    }
}
