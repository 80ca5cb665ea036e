using IdP.Protocol.OAuth;

namespace IdP.Clients.Authentication;

/// <summary>RFC 6749 §2.3.1: id and secret in the Authorization header.</summary>
internal sealed class ClientSecretBasic(SecretHash secrets) : IClientAuthenticationMethod
{
    public string Name => AuthenticationMethodNames.Basic;

    public Result<PresentedClient>? Read(HttpRequest request, FormParameters form)
    {
        var headers = request.Headers.Authorization;
        if (headers.Count == 0) return null;
        if (headers.Count > 1) return OAuthError.InvalidRequest("more than one Authorization header");
        if (!BasicCredentials.IsBasic(headers[0]!)) return OAuthError.InvalidClient("an Authorization header of another scheme than Basic");
        if (BasicCredentials.Parse(headers[0]!).Failed(out var credentials, out var error)) return error;
        // Some libraries send a client without a secret as 'Basic id:'; that is method none, and with a secret in the body it is two.
        if (credentials.Secret.Length > 0) return new PresentedClient(credentials.ClientId, credentials.Secret);
        if (form.Has("client_secret")) return OAuthError.InvalidRequest("more than one client authentication method");
        return null;
    }

    public ValueTask<bool> Proves(Client? client, PresentedClient presented, CancellationToken ct) => new(secrets.Matches(client, presented.Secret));
}
