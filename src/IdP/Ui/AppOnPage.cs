using System.Globalization;
using IdP.Clients;
using IdP.Protocol.OAuth;

namespace IdP.Ui;

/// <summary>What a page shows of the app that sent the person here.</summary>
internal sealed record AppOnPage(string Name, string? LogoUri, string? PolicyUri, string? TermsUri)
{
    /// <summary>What stands in for a logo.</summary>
    public string Initial => StringInfo.GetNextTextElement(Name).ToUpper(CultureInfo.InvariantCulture);

    public static AppOnPage Of(Client client) => new(client.Name ?? client.ClientId, Web(client.LogoUri), Web(client.PolicyUri), Web(client.TermsUri));

    // Checked at registration; looked at again, because a link is the one place where escaping does not make a script harmless.
    private static string? Web(string? address) => address is not null && WebOrigin.Of(address) is not null ? address : null;
}
