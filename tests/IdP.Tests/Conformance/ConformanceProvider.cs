using IdP.Testing;
using Xunit;

namespace IdP.Tests.Conformance;

/// <summary>A client of the conformance suite as an operator registers it: it does without PKCE, like most of the suite's modules.</summary>
internal sealed record SuiteClient(string Id, string RedirectUri, string Method)
{
    public static readonly SuiteClient First = new("suite", "https://suite.test/test/a/idp/callback", "client_secret_basic");

    /// <summary>Its address has a query, which has to be there in every answer.</summary>
    public static readonly SuiteClient Second = new("suite-2", "https://suite.test/test/a/idp/callback?dummy1=lorem&dummy2=ipsum", "client_secret_basic");

    public static readonly SuiteClient Post = new("suite-post", "https://suite.test/test/a/idp/callback", "client_secret_post");
}

/// <summary>A provider over TLS with what the plans want: three clients, and a person of whom every standard claim is known.</summary>
public sealed class ConformanceProvider : IAsyncLifetime
{
    internal const string Person = "buffy";
    internal IdpServer Server { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Server = await IdpServer.Start(https: true);
        foreach (var client in (SuiteClient[])[SuiteClient.First, SuiteClient.Second, SuiteClient.Post])
            await Server.AddClient(client.Id, "authorization_code refresh_token", "openid profile email address phone offline_access", c =>
            {
                (c.Name, c.RedirectUris, c.AllowCodeWithoutPkce, c.AuthenticationMethods) = ("Conformance suite", [client.RedirectUri], true, [client.Method]);
            });
        await Server.AddUser(Person, configure: u =>
        {
            (u.Name, u.GivenName, u.FamilyName, u.MiddleName, u.Nickname) = ("Buffy Anne Summers", "Buffy", "Summers", "Anne", "Buff");
            (u.Profile, u.Picture, u.Website) = ("https://people.test/buffy", "https://people.test/buffy.png", "https://buffy.test");
            (u.Gender, u.Birthdate, u.ZoneInfo, u.Locale) = ("female", "1981-01-19", "America/Los_Angeles", "en-US");
            (u.StreetAddress, u.Locality, u.Region, u.PostalCode, u.Country) = ("1630 Revello Drive", "Sunnydale", "CA", "95037", "US");
            (u.PhoneNumber, u.PhoneNumberConfirmed) = ("+1 805 555 0100", true);
        });
    }

    public async Task DisposeAsync() => await Server.DisposeAsync();
}
