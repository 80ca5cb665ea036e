using IdP.Account;
using IdP.Accounts;
using IdP.ApiKeys;
using IdP.Audit;
using IdP.Authorize;
using IdP.Clients;
using IdP.Consents;
using IdP.Discovery;
using IdP.Grants;
using IdP.Http;
using IdP.Keys;
using IdP.Logout;
using IdP.Mail;
using IdP.Observability;
using IdP.Outbox;
using IdP.Passkeys;
using IdP.Recovery;
using IdP.Registration;
using IdP.Resources;
using IdP.Retention;
using IdP.Roles;
using IdP.SecondFactors;
using IdP.Sessions;
using IdP.Storage;
using IdP.Throttles;
using IdP.Tokens;
using IdP.Ui;
using IdP.Upstream;
using IdP.UserInfo;

namespace IdP;

/// <summary>The composition root: which features there are, and the order in which they start.</summary>
internal static class Server
{
    public static WebApplication Build(IdpOptions options, IConfiguration configuration, TimeProvider? system = null, Action<WebApplicationBuilder>? customize = null)
    {
        // A person at a terminal reads lines; whatever collects a container's output reads JSON.
        var environment = Environment.GetEnvironmentVariable("DOTNET_ENVIRONMENT") ?? (Console.IsOutputRedirected ? Environments.Production : Environments.Development);
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions
        {
            ContentRootPath = AppContext.BaseDirectory,
            EnvironmentName = environment,
            // Pages are found in this assembly, whatever program it runs in.
            ApplicationName = typeof(Server).Assembly.GetName().Name,
        });
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddConfiguration(configuration);
        builder.Services.AddSingleton(options);
        builder.Services.AddRoutingCore();
        builder.AddObservability();
        builder.AddHttp(options);
        AddCore(builder.Services, system ?? TimeProvider.System, isServing: true);
        builder.Services.AddApiKeys();
        builder.Services.AddTokens();
        builder.Services.AddUserInfo();
        builder.Services.AddSessions();
        builder.Services.AddSecondFactors();
        builder.Services.AddConsents();
        builder.Services.AddAuthorize();
        builder.Services.AddMail();
        builder.Services.AddOutbox();
        builder.Services.AddLogout();
        builder.Services.AddUpstream();
        builder.Services.AddRecovery();
        builder.Services.AddRegistration();
        builder.Services.AddAccount();
        builder.Services.AddPasskeys();
        builder.AddUi();
        builder.Services.AddAudit();
        builder.Services.AddRetention();
        builder.Services.AddWatching(options);
        customize?.Invoke(builder);

        var app = builder.Build();
        app.UseWatching();
        app.UseHttp();
        app.UseRouting();
        app.UsePages();
        app.UseAccounts();
        app.MapHealth();
        app.MapDiscovery();
        app.MapTokens();
        app.MapUserInfo();
        app.MapApiKeys();
        app.MapAuthorize();
        app.MapLogout();
        app.MapUpstream();
        app.MapAccount();
        app.MapPasskeys();
        app.MapThrottles();
        app.MapUi();
        return app;
    }

    /// <summary>What commands need as well: everything but the endpoints.</summary>
    public static void AddCore(IServiceCollection services, TimeProvider system, bool isServing)
    {
        services.AddStorage(isServing);
        services.AddSingleton(provider => new DatabaseClock(system));
        services.AddKeys();
        services.AddResources();
        services.AddRoles();
        services.AddClients();
        services.AddThrottles();
        services.AddAccounts();
        services.AddGrants();
        services.AddMailer();
        services.AddApiKeyStatements();
        services.AddUpstreamStatements();
        services.AddInvitations();
        services.AddSecondFactorStatements();
    }

    /// <summary>Brings the database up to date, opens the keys and loads what is kept in memory.</summary>
    public static async Task Open(IServiceProvider services, CancellationToken ct)
    {
        var options = services.GetRequiredService<IdpOptions>();
        var database = services.GetRequiredService<Database>();
        await services.GetRequiredService<KeyRing>().RequireMasterKeys(ct);
        if (options.Storage.MigrateAtStart) await Migrator.Migrate(database, ct);
        else await Migrator.RequireCurrent(database, ct);

        var (keys, catalog, clients) = (services.GetRequiredService<KeyRing>(), services.GetRequiredService<ResourceCatalog>(), services.GetRequiredService<ClientDirectory>());
        var poll = services.GetRequiredService<ChangePoll>();
        // The database's time first: a key that this node makes must not begin in the future of the others.
        await poll.Ask(ct);
        await keys.Open(ct);
        poll.Follow(keys.Load);
        poll.Follow(catalog.Load);
        poll.Follow(services.GetRequiredService<RoleCatalog>().Load);
        poll.Follow(clients.Load);
        poll.Follow(services.GetRequiredService<UpstreamCatalog>().Load);
        await poll.Ask(ct);
    }
}
