using System.CommandLine;

namespace IdP.Commands;

/// <summary>The settings of a server that the command line has options for: 'serve' takes them, and 'config' shows and checks the same.</summary>
internal sealed class ServerSettings
{
    private readonly Option<string?> _urls = new("--urls") { Description = "Addresses to listen on, separated by ';'", HelpName = "URLS" };
    private readonly Option<string?> _issuer = new("--issuer") { Description = "The public URL of this provider (default: the first of --urls)", HelpName = "URL" };
    private readonly Option<string?> _certificate = new("--tls-cert") { Description = "PEM file with the certificate for https", HelpName = "FILE" };
    private readonly Option<string?> _key = new("--tls-key") { Description = "PEM file with the certificate's key", HelpName = "FILE" };

    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[_urls, _issuer, _certificate, _key]) command.Add(option);
    }

    public Dictionary<string, string?> Overrides(ParseResult parsed)
    {
        var overrides = CommandHost.Overrides(parsed);
        overrides["Urls"] = parsed.GetValue(_urls);
        overrides["Issuer"] = parsed.GetValue(_issuer);
        overrides["Http:TlsCertificate"] = parsed.GetValue(_certificate);
        overrides["Http:TlsKey"] = parsed.GetValue(_key);
        return overrides;
    }
}
