using System.CommandLine;
using System.Net.Sockets;
using IdP.Accounts;
using IdP.Clients;
using IdP.Http;
using IdP.Protocol.OAuth;
using IdP.Storage;
using Microsoft.EntityFrameworkCore;

namespace IdP.Commands;

/// <summary>Runs the server until it is told to stop.</summary>
internal static class ServeCommand
{
    public static Command Build()
    {
        var demo = new Option<bool>("--demo") { Description = "Fill a new database with demo clients and people; loopback only" };
        var urls = new Option<string?>("--urls") { Description = "Addresses to listen on, separated by ';'", HelpName = "URLS" };
        var issuer = new Option<string?>("--issuer") { Description = "The public URL of this provider (default: the first of --urls)", HelpName = "URL" };
        var certificate = new Option<string?>("--tls-cert") { Description = "PEM file with the certificate for https", HelpName = "FILE" };
        var key = new Option<string?>("--tls-key") { Description = "PEM file with the certificate's key", HelpName = "FILE" };
        var command = new Command("serve", "Run the identity provider.\n\nExample: IdP serve --demo --data ./data --urls http://localhost:8080") { demo, urls, issuer, certificate, key };
        command.SetAction((parsed, ct) => CommandHost.Explained(parsed, async () =>
        {
            var overrides = CommandHost.Overrides(parsed);
            overrides["Urls"] = parsed.GetValue(urls);
            overrides["Issuer"] = parsed.GetValue(issuer);
            overrides["Http:TlsCertificate"] = parsed.GetValue(certificate);
            overrides["Http:TlsKey"] = parsed.GetValue(key);
            var (options, configuration) = Settings.Load(parsed.GetValue(CommandHost.Config), overrides);
            return await Serve(options, configuration, parsed.GetValue(demo), ct);
        }));
        return command;
    }

    private static async Task<int> Serve(IdpOptions options, IConfiguration configuration, bool demo, CancellationToken ct)
    {
        if (demo) PrepareDemo(options);
        await using var app = Server.Build(options, configuration);
        await Server.Open(app.Services, ct);
        if (demo) await DemoData.Fill(app.Services, ct);
        await Warn(app, options, ct);
        try
        {
            await app.StartAsync(ct);
        }
        catch (IOException failure) when (failure.InnerException is Microsoft.AspNetCore.Connections.AddressInUseException)
        {
            throw new ConfigurationException($"The port of {options.Urls} is in use by another program: stop it, or choose another with --urls.");
        }
        catch (SocketException failure) when (failure.SocketErrorCode is SocketError.AccessDenied or SocketError.AddressNotAvailable)
        {
            throw new ConfigurationException($"This user may not listen on {options.Urls}: choose a port above 1023 and an address of this machine with --urls.");
        }
        if (demo) DemoData.Print(options, app.Services.GetRequiredService<Issuer>());
        await app.WaitForShutdownAsync(ct);
        return ExitCodes.Ok;
    }

    private static void PrepareDemo(IdpOptions options)
    {
        foreach (var address in options.Urls.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            if (!Uri.TryCreate(address, UriKind.Absolute, out var url) || !url.IsLoopback)
                throw new ConfigurationException($"--demo listens on loopback only, and --urls has '{address}': its passwords are public.");
        // A demo may make its folder; anything else that names a missing folder has made a mistake.
        Directory.CreateDirectory(options.Storage.DataDirectory);
    }

    private static async Task Warn(WebApplication app, IdpOptions options, CancellationToken ct)
    {
        var log = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("IdP");
        if (!app.Services.GetRequiredService<Issuer>().IsHttps)
            log.LogWarning("The issuer is plain http: cookies lose __Host- and Secure, and tokens can be read on the way. Use https in production");
        if (options.Passwords.Iterations < PasswordOptions.RecommendedIterations)
            log.LogWarning("Passwords:Iterations is {Iterations}, under the recommended {Recommended}: stolen hashes are cheaper to guess", options.Passwords.Iterations, PasswordOptions.RecommendedIterations);

        await using var db = app.Services.GetRequiredService<Database>().OpenForReading();
        var clients = await db.Set<Client>().Select(c => new { c.ClientId, c.GrantTypes, c.AllowPublicPasswordGrant }).ToListAsync(ct);
        if (clients.Where(c => c.GrantTypes.Contains(GrantNames.Password)).Select(c => c.ClientId).ToList() is { Count: > 0 } old)
            log.LogWarning("The password grant is deprecated (RFC 9700 section 2.4) and is allowed for: {Clients}", old);
        if (clients.Where(c => c.AllowPublicPasswordGrant).Select(c => c.ClientId).ToList() is { Count: > 0 } open)
            log.LogWarning("Public clients that may use the password grant (--allow-public-password-grant): {Clients}", open);
        if (clients.Count == 0)
            log.LogInformation("There are no clients yet. Add the first with 'IdP client add my-app --data {Data} --grant client_credentials'", options.Storage.DataDirectory);
        if (!await db.Set<User>().AnyAsync(ct))
            log.LogInformation("There are no users yet. Add the first with 'IdP user add alice --data {Data} --password-file FILE'", options.Storage.DataDirectory);
    }
}
