namespace IdP.Account;

/// <summary>
/// A browser and its system in plain words, from the User-Agent header. Only names of this list are ever shown, whatever the header says:
/// somebody else may have written it.
/// </summary>
internal sealed record DeviceName(string? Browser, string? System)
{
    // Most of them claim to be others too: the most particular comes first.
    private static readonly (string Sign, string Name)[] Browsers =
    [
        ("Edg/", "Edge"), ("EdgA/", "Edge"), ("EdgiOS/", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser/", "Samsung Internet"), ("Vivaldi/", "Vivaldi"), ("Firefox/", "Firefox"), ("FxiOS/", "Firefox"),
        ("CriOS/", "Chrome"), ("Chromium/", "Chromium"), ("Chrome/", "Chrome"), ("Safari/", "Safari"), ("curl/", "curl"),
    ];

    private static readonly (string Sign, string Name)[] Systems =
    [
        ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("CrOS", "ChromeOS"), ("Windows", "Windows"), ("Macintosh", "macOS"), ("Linux", "Linux"),
    ];

    public static DeviceName Of(string? userAgent) => new(First(Browsers, userAgent), First(Systems, userAgent));

    private static string? First((string Sign, string Name)[] known, string? userAgent) =>
        userAgent is null ? null : known.FirstOrDefault(one => userAgent.Contains(one.Sign, StringComparison.Ordinal)).Name;
}
