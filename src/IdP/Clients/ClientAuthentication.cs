using IdP.Http;
using IdP.Protocol.OAuth;

namespace IdP.Clients;

/// <summary>A client that has proved who it is. Only <see cref="ClientAuthentication"/> makes one. It may be disabled: the endpoint decides.</summary>
internal sealed class AuthenticatedClient
{
    private AuthenticatedClient(Client client, string method) => (Client, Method) = (client, method);

    public Client Client { get; }
    public string Method { get; }

    internal static AuthenticatedClient Proven(Client client, string method) => new(client, method);
}

/// <summary>RFC 6749 §2.3: exactly one method, and one that is registered for the client.</summary>
internal sealed class ClientAuthentication(IEnumerable<IClientAuthenticationMethod> methods, ClientDirectory clients, FailureLimiter limiter)
{
    private readonly IClientAuthenticationMethod[] _methods = methods.ToArray();

    public IEnumerable<string> MethodNames => _methods.Select(m => m.Name);

    public async ValueTask<Result<AuthenticatedClient>> Authenticate(HttpContext http, FormParameters form, CancellationToken ct)
    {
        if (Present(http.Request, form).Failed(out var present, out var error)) return error;
        var (method, presented) = present;
        var facts = RequestFacts.Of(http);
        facts.ClientId = presented.ClientId;
        if (form["client_id"] is { } named && named != presented.ClientId)
            return OAuthError.InvalidRequest("client_id in the body is not the one in the Authorization header");

        if (limiter.Blocked("client", presented.ClientId, facts.Address) is { } seconds) return OAuthError.TooManyFailures(seconds);
        var client = clients.Remembered(presented.ClientId);
        if (!await method.Proves(client, presented, ct))
        {
            // One look in the database: a secret replaced a moment ago works at once, and an unknown client costs as much as a wrong secret.
            client = await clients.FindStored(presented.ClientId, ct);
            if (!await method.Proves(client, presented, ct))
            {
                limiter.Failed("client", presented.ClientId, facts.Address);
                return OAuthError.InvalidClient(client is null ? "unknown client" : $"{method.Name} does not prove this client");
            }
        }
        if (!client!.AuthenticationMethods.Contains(method.Name)) return OAuthError.InvalidClient($"the client is not registered for {method.Name}");
        limiter.Succeeded("client", presented.ClientId, facts.Address);
        return AuthenticatedClient.Proven(client, method.Name);
    }

    private Result<(IClientAuthenticationMethod Method, PresentedClient Client)> Present(HttpRequest request, FormParameters form)
    {
        (IClientAuthenticationMethod, PresentedClient)? found = null;
        foreach (var method in _methods)
        {
            if (method.Read(request, form) is not { } read) continue;
            if (read.Failed(out var presented, out var error)) return error;
            if (found is not null) return OAuthError.InvalidRequest("more than one client authentication method");
            found = (method, presented);
        }
        return found is { } one ? one : OAuthError.InvalidClient("no client authentication");
    }
}
