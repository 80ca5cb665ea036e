using System.Globalization;
using System.Resources;
using System.Text.RegularExpressions;
using IdP.Testing;
using IdP.Tests.Support;
using IdP.Ui;
using Xunit;

namespace IdP.Tests.Pages;

public sealed partial class LanguagesOfPages(PageServer fixture) : IClassFixture<PageServer>
{
    private readonly IdpServer _server = fixture.Server;

    [Fact]
    public void Every_language_has_every_text_with_the_same_placeholders()
    {
        var english = Load("");
        Assert.True(english.Count > 40);
        foreach (var language in Texts.Languages.Where(language => language != "en"))
        {
            var other = Load(language);
            Assert.Equal(english.Keys, other.Keys);
            foreach (var (key, text) in english) Assert.True(Placeholders(text).SequenceEqual(Placeholders(other[key])), $"{language} {key}: {other[key]}");
            // A text that was copied and never translated.
            Assert.InRange(english.Count(pair => pair.Value == other[pair.Key]), 0, 4);
        }
    }

    [Theory]
    [InlineData("de", "en", "de")]
    [InlineData("de-AT fr", "en", "de")]
    [InlineData("fr en", "de", "en")]
    [InlineData("fr", "de", "de")]
    [InlineData(null, "de-CH, en;q=0.5", "de")]
    [InlineData(null, "fr, en;q=0.8, de;q=0.9", "de")]
    [InlineData(null, "fr", "en")]
    [InlineData(null, "*", "en")]
    [InlineData("x\"><script>", null, "en")]
    public async Task The_app_chooses_the_language_then_the_browser(string? uiLocales, string? acceptLanguage, string expected)
    {
        using var browser = new Browser(_server);
        var flow = new CodeFlow { With = { ["ui_locales"] = uiLocales } };
        var redirect = await browser.Get(Browser.Address(flow.Parameters()));
        using var request = new HttpRequestMessage(HttpMethod.Get, redirect.Location);
        if (acceptLanguage is not null) request.Headers.Add("Accept-Language", acceptLanguage);

        var page = await browser.Send(request);

        Assert.Contains($"<html lang=\"{expected}\">", page.Body, StringComparison.Ordinal);
        Assert.Contains(expected == "de" ? "Passwort" : ">Password<", page.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_language_that_the_app_asked_for_stays_through_consent()
    {
        using var browser = new Browser(_server);
        var page = await browser.Authorize(new CodeFlow { Scope = "openid offline_access", With = { ["ui_locales"] = "de" } }.Parameters());

        Assert.Contains("Zugriff erlauben?", (await browser.SignIn(page)).Body, StringComparison.Ordinal);
    }

    private static SortedDictionary<string, string> Load(string language)
    {
        var resources = new ResourceManager("IdP.Ui.Texts", typeof(Texts).Assembly);
        var culture = language.Length == 0 ? CultureInfo.InvariantCulture : CultureInfo.GetCultureInfo(language);
        // Without parents: a text that is missing must not be found in English.
        var set = resources.GetResourceSet(culture, createIfNotExists: true, tryParents: false)!;
        return new SortedDictionary<string, string>(set.Cast<System.Collections.DictionaryEntry>().ToDictionary(entry => (string)entry.Key, entry => (string)entry.Value!), StringComparer.Ordinal);
    }

    private static IEnumerable<string> Placeholders(string text) => Placeholder().Matches(text).Select(match => match.Value).Order(StringComparer.Ordinal);

    [GeneratedRegex(@"\{\d+\}", RegexOptions.None, 1000)]
    private static partial Regex Placeholder();
}
