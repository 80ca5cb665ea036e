namespace IdP.Throttles;

/// <summary>
/// Owns what slows down whoever guesses at many accounts: <see cref="NetworkThrottle"/> counts wrong passwords of one network in the database,
/// or by strangers to one account, so that every node and every start knows, and makes strangers there wait longer and longer.
/// <see cref="ProofOfWork"/> is what a browser may do instead, if the operator wants that. How an account is closed is in Accounts, what
/// protects a node from floods is <see cref="Http.FailureLimiter"/>.
/// </summary>
internal static class ThrottlesFeature
{
    public static void AddThrottles(this IServiceCollection services)
    {
        services.AddSingleton<NetworkThrottle>();
        services.AddSingleton<ProofOfWork>();
        services.AddSingleton<WorkScript>();
    }

    public static void MapThrottles(this WebApplication app)
    {
        var script = app.Services.GetRequiredService<WorkScript>();
        app.MapGet(script.Path, (RequestDelegate)script.Respond);
    }
}
