using System.CommandLine;

namespace IdP.Commands;

/// <summary>Asks a running server whether it is ready; for containers, which have no curl.</summary>
internal static class HealthCommand
{
    public static Command Build()
    {
        var url = new Option<string>("--url") { Description = "Address of the server", HelpName = "URL", DefaultValueFactory = _ => "http://127.0.0.1:8080" };
        url.Validators.Add(result =>
        {
            if (!Uri.TryCreate(result.GetValueOrDefault<string>(), UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
                result.AddError("--url takes an address such as http://127.0.0.1:8080.");
        });
        var command = new Command("health", "Ask a running server whether it is ready.\n\nExample: IdP health --url http://127.0.0.1:8080") { url };
        command.SetAction(async (parsed, ct) =>
        {
            try
            {
                using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
                using var answer = await http.GetAsync(new Uri(new Uri(parsed.GetValue(url)!), "/health/ready"), ct);
                var text = await answer.Content.ReadAsStringAsync(ct);
                await (answer.IsSuccessStatusCode ? parsed.InvocationConfiguration.Output : parsed.InvocationConfiguration.Error).WriteLineAsync(text);
                return answer.IsSuccessStatusCode ? ExitCodes.Ok : ExitCodes.Failed;
            }
            catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException)
            {
                await parsed.InvocationConfiguration.Error.WriteLineAsync($"No answer from {parsed.GetValue(url)}: check that the server runs and listens there.");
                return ExitCodes.Failed;
            }
        });
        return command;
    }
}
