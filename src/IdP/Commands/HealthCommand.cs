using System.CommandLine;
using IdP.Http;

namespace IdP.Commands;

/// <summary>Asks a running server whether it is ready; for containers, which have no curl.</summary>
internal static class HealthCommand
{
    public static Command Build()
    {
        var url = new Option<string?>("--url") { Description = "Address of the server (default: where the settings have it listen)", HelpName = "URL" };
        url.Validators.Add(result =>
        {
            if (!Uri.TryCreate(result.GetValueOrDefault<string>(), UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
                result.AddError("--url takes an address such as http://127.0.0.1:8080.");
        });
        var command = new Command("health", "Ask a running server whether it is ready.\n\nExample: IdP health --url http://127.0.0.1:8080") { url };
        command.SetAction((parsed, ct) => CommandHost.Explained(parsed, () => Ask(parsed, parsed.GetValue(url) is { } given ? new Uri(given) : Configured(parsed), ct)));
        return command;
    }

    private static Uri Configured(ParseResult parsed)
    {
        var (options, _) = Settings.Load(parsed.GetValue(CommandHost.Config), CommandHost.Overrides(parsed));
        var address = options.Urls.Split(';', StringSplitOptions.TrimEntries)[0];
        if (!Uri.TryCreate(address, UriKind.Absolute, out var url))
            throw new ConfigurationException($"Urls has '{address}': an address looks like http://localhost:8080 or https://0.0.0.0:8443.");
        // Whoever listens on every address is reached on loopback.
        return url.Host is "0.0.0.0" or "[::]" ? new UriBuilder(url) { Host = "127.0.0.1" }.Uri : url;
    }

    private static async Task<int> Ask(ParseResult parsed, Uri server, CancellationToken ct)
    {
        var (output, error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
        try
        {
            using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
            using var answer = await http.GetAsync(new Uri(server, "/health/ready"), ct);
            await (answer.IsSuccessStatusCode ? output : error).WriteLineAsync(await answer.Content.ReadAsStringAsync(ct));
            return answer.IsSuccessStatusCode ? ExitCodes.Ok : ExitCodes.Failed;
        }
        catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException)
        {
            await error.WriteLineAsync($"No answer from {server} ({failure.InnerException?.Message ?? failure.Message}): check that the server runs and listens there.");
            return ExitCodes.Failed;
        }
    }
}
