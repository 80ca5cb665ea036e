using System.Globalization;
using System.Resources;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Html;

namespace IdP.Ui;

/// <summary>The texts of pages in the language of one request: what the app asked for (ui_locales), else what the browser asks for, else English.</summary>
internal sealed class Texts
{
    private static readonly ResourceManager Resources = new("IdP.Ui.Texts", typeof(Texts).Assembly);

    /// <summary>The languages that are complete; discovery lists them.</summary>
    public static readonly IReadOnlyList<string> Languages = ["en", "de"];

    private readonly CultureInfo _culture;

    private Texts(string language) => (Language, _culture) = (language, CultureInfo.GetCultureInfo(language));

    public string Language { get; }

    public string this[string key] => Resources.GetString(key, _culture) ?? throw new InvalidOperationException($"There is no text {key}.");

    /// <summary>The text if there is one, for what has names that others choose.</summary>
    public string? Find(string key) => Resources.GetString(key, _culture);

    /// <summary>A text with values from outside in it, each an element of its own so that none turns the direction of the rest.</summary>
    public IHtmlContent Markup(string key, params IEnumerable<string> values)
    {
        var encoder = HtmlEncoder.Default;
        object[] marked = [.. values.Select(value => $"<bdi>{encoder.Encode(value)}</bdi>")];
        // Texts are our own and have no markup; what the encoder does to them leaves the placeholders.
        return new HtmlString(string.Format(_culture, encoder.Encode(this[key]), marked));
    }

    /// <summary>A moment for people and for programs. In UTC: nothing says where the person is.</summary>
    public IHtmlContent Moment(DateTimeOffset at) =>
        new HtmlString($"<time datetime=\"{at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm'Z'", CultureInfo.InvariantCulture)}\">{HtmlEncoder.Default.Encode(at.UtcDateTime.ToString(this["Moment.Format"], _culture))}</time>");

    public string Format(string key, params object?[] values) => string.Format(_culture, this[key], values);

    /// <summary>The texts for somebody who is not here, such as the reader of a mail; English when we do not speak their language.</summary>
    public static Texts In(string? locale) => new((locale is null ? null : Known(locale)) ?? Languages[0]);

    /// <summary>The texts for a request, chosen once.</summary>
    public static Texts Of(HttpContext http)
    {
        if (http.Items[typeof(Texts)] is Texts chosen) return chosen;
        var texts = new Texts(Choose(http));
        http.Items[typeof(Texts)] = texts;
        return texts;
    }

    /// <summary>Has the page speak the first language of a space-separated list that we have.</summary>
    public static void Prefer(HttpContext http, string? locales)
    {
        if (locales?.Split(' ').Select(Known).FirstOrDefault(language => language is not null) is { } found) http.Items[typeof(Texts)] = new Texts(found);
    }

    private static string Choose(HttpContext http) =>
        http.Request.GetTypedHeaders().AcceptLanguage.OrderByDescending(value => value.Quality ?? 1)
            .Select(value => Known(value.Value.ToString())).FirstOrDefault(language => language is not null) ?? Languages[0];

    private static string? Known(string tag)
    {
        var language = tag.Split('-')[0];
        return Languages.FirstOrDefault(known => string.Equals(known, language, StringComparison.OrdinalIgnoreCase));
    }
}
