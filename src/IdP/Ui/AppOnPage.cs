using IdP.Clients;

namespace IdP.Ui;

/// <summary>What a page shows of the app that sent the person here.</summary>
internal sealed record AppOnPage(string Name, string? LogoUri, string? PolicyUri, string? TermsUri)
{
    public static AppOnPage Of(Client client) => new(client.Name ?? client.ClientId, client.LogoUri, client.PolicyUri, client.TermsUri);
}
