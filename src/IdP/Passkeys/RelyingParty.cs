using System.Text.Json;
using IdP.Http;
using IdP.Protocol.OAuth;
using IdP.Ui;

namespace IdP.Passkeys;

/// <summary>Whom passkeys are for (WebAuthn §5.1.2, §13.4.9): one domain, and exactly the origins whose pages may ask for them.</summary>
internal sealed class RelyingParty
{
    private readonly HashSet<string> _origins;
    private readonly Issuer _issuer;

    public RelyingParty(IdpOptions options, Issuer issuer)
    {
        _issuer = issuer;
        var uri = new Uri(issuer.Value);
        var host = uri.IdnHost.ToLowerInvariant();
        Id = options.Passkeys.RelyingPartyId ?? host;
        if (Id != host && !host.EndsWith($".{Id}", StringComparison.Ordinal))
            throw new ConfigurationException($"Passkeys:RelyingPartyId is '{Id}': it must be the issuer's host, {host}, or a domain that this host is in.");
        RelatedOrigins = options.Passkeys.RelatedOrigins.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (Array.Find([.. RelatedOrigins], origin => WebOrigin.Of(origin) != origin || !origin.StartsWith("https://", StringComparison.Ordinal)) is { } wrong)
            throw new ConfigurationException($"Passkeys:RelatedOrigins has '{wrong}': write origins as browsers do, such as https://login.example.org.");
        _origins = [WebOrigin.Of(issuer.Value)!, .. RelatedOrigins];
        // An IP address is no domain, and browsers have passkeys in secure contexts only.
        IsPossible = uri.HostNameType == UriHostNameType.Dns && (issuer.IsHttps || host == "localhost" || host.EndsWith(".localhost", StringComparison.Ordinal));
        if (options.Passkeys.AskAsSecondFactor && !IsPossible)
            throw new ConfigurationException($"Passkeys:AskAsSecondFactor is set, but no browser has passkeys for {issuer.Value}: use an issuer with https and a name, or leave the setting out.");
    }

    public string Id { get; }

    public IReadOnlyList<string> RelatedOrigins { get; }

    /// <summary>Whether any browser could use a passkey here; otherwise nothing is said of them.</summary>
    public bool IsPossible { get; }

    /// <summary>WebAuthn §7.1, §7.2: the page itself, never one within another's page.</summary>
    public bool Accepts(string origin, bool isCrossOrigin, string? topOrigin) => !isCrossOrigin && topOrigin is null && _origins.Contains(origin);

    /// <summary>Passkey Endpoints: where people add and look after passkeys.</summary>
    public void WriteEndpoints(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        if (IsPossible)
        {
            writer.WriteString("enroll", _issuer.Url(PageAddresses.Passkeys));
            writer.WriteString("manage", _issuer.Url(PageAddresses.Passkeys));
        }
        writer.WriteEndObject();
    }

    /// <summary>WebAuthn §5.11: the other origins that may use the passkeys of this domain.</summary>
    public void WriteRelatedOrigins(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteList("origins", RelatedOrigins);
        writer.WriteEndObject();
    }
}
