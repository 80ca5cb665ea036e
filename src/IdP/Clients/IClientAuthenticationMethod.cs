using IdP.Protocol.OAuth;

namespace IdP.Clients;

/// <summary>One way in which a client proves who it is. A new one is one file and one line in <see cref="ClientsFeature"/>.</summary>
internal interface IClientAuthenticationMethod
{
    /// <summary>The value of token_endpoint_auth_method; discovery lists it.</summary>
    string Name { get; }

    /// <summary>Null when the request does not use this method; an error when it does and is broken.</summary>
    Result<PresentedClient>? Read(HttpRequest request, FormParameters form);

    /// <summary>Whether what was presented proves to be the client; null stands for a client that does not exist and must cost the same.</summary>
    ValueTask<bool> Proves(Client? client, PresentedClient presented, CancellationToken ct);
}

/// <summary>What a request says of its client. <see cref="Secret"/> is the method's own business and never logged.</summary>
internal sealed record PresentedClient(string ClientId, string Secret)
{
    public override string ToString() => ClientId;
}
