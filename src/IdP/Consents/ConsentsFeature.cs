namespace IdP.Consents;

/// <summary>
/// Owns consent: what a person lets a client have. <see cref="ConsentStatements"/> remembers it and knows whether a request is covered;
/// the page asks. It is asked for again when a request grows or the client has changed.
/// </summary>
internal static class ConsentsFeature
{
    public static void AddConsents(this IServiceCollection services) => services.AddSingleton<ConsentStatements>();
}
