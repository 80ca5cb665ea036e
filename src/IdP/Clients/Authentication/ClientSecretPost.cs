using IdP.Protocol.OAuth;

namespace IdP.Clients.Authentication;

/// <summary>RFC 6749 §2.3.1: id and secret in the body.</summary>
internal sealed class ClientSecretPost(SecretHash secrets) : IClientAuthenticationMethod
{
    public string Name => AuthenticationMethodNames.Post;

    public Result<PresentedClient>? Read(HttpRequest request, FormParameters form)
    {
        if (form["client_secret"] is not { } secret) return null;
        return form["client_id"] is { } id ? new PresentedClient(id, secret) : OAuthError.InvalidClient("client_secret without client_id");
    }

    public ValueTask<bool> Proves(Client? client, PresentedClient presented, CancellationToken ct) => new(secrets.Matches(client, presented.Secret));
}
