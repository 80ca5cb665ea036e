using IdP.Protocol.OAuth;

namespace IdP.Clients.Authentication;

/// <summary>Method <c>none</c>: a public client only says who it is (RFC 6749 §3.2.1).</summary>
internal sealed class PublicClient : IClientAuthenticationMethod
{
    public string Name => AuthenticationMethodNames.None;

    public Result<PresentedClient>? Read(HttpRequest request, FormParameters form)
    {
        if (form.Has("client_secret")) return null;
        var authorization = request.Headers.Authorization.ToString();
        if (authorization.Length == 0 && form["client_id"] is { } id) return new PresentedClient(id, "");
        if (!BasicCredentials.IsBasic(authorization) || BasicCredentials.Parse(authorization).Failed(out var basic, out _) || basic.Secret.Length > 0) return null;
        return new PresentedClient(basic.ClientId, "");
    }

    public ValueTask<bool> Proves(Client? client, PresentedClient presented, CancellationToken ct) => new(client is { IsPublic: true });
}
