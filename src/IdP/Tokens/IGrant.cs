using IdP.Clients;
using IdP.Http;
using IdP.Protocol.OAuth;

namespace IdP.Tokens;

/// <summary>One grant type. A new one is one file and one line in <see cref="TokensFeature"/>; every shared step is the endpoint's.</summary>
internal interface IGrant
{
    /// <summary>The value of grant_type; discovery lists it.</summary>
    string Name { get; }

    /// <summary>Lets the request prove what is authorized.</summary>
    ValueTask<Result<Authorization>> Redeem(GrantRequest request, CancellationToken ct);
}

internal sealed record GrantRequest(AuthenticatedClient Authenticated, FormParameters Form, RequestFacts Facts)
{
    public Client Client => Authenticated.Client;
}
