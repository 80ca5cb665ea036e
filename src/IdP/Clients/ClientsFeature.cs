using IdP.Clients.Authentication;

namespace IdP.Clients;

/// <summary>
/// Owns clients: what they may do (<see cref="Client"/>), how they are found (<see cref="ClientDirectory"/>) and how they prove who
/// they are. <see cref="ClientAuthentication"/> reads exactly one method from the request, finds the client and asks the method for
/// proof; the methods are one file each in Authentication/. A disabled client authenticates all the same; the endpoint decides.
/// <see cref="ClientStatements"/> is what operators may do to clients.
/// </summary>
internal static class ClientsFeature
{
    public static void AddClients(this IServiceCollection services)
    {
        services.AddSingleton<ClientDirectory>();
        services.AddSingleton<SecretHash>();
        services.AddSingleton<ClientStatements>();
        services.AddSingleton<ClientAuthentication>();
        services.AddSingleton<IClientAuthenticationMethod, ClientSecretBasic>();
        services.AddSingleton<IClientAuthenticationMethod, ClientSecretPost>();
        services.AddSingleton<IClientAuthenticationMethod, PublicClient>();
    }
}
