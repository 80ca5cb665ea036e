namespace IdP.TokenValidation;

/// <summary>Where API keys stand. A key in two of these places, or twice in one, is refused with 400.</summary>
public sealed class ApiKeyCarriers
{
    /// <summary>The header that carries a key; <c>X-API-Key</c> by default, null for none.</summary>
    public string? HeaderName { get; set; } = "X-API-Key";

    /// <summary>The query parameter that carries a key; null, that is none, by default. Unwise, and logged as such: addresses are kept in logs and histories.</summary>
    public string? QueryName { get; set; }

    /// <summary>The cookie that carries a key; null, that is none, by default. Who sets it makes it <c>Secure</c>, <c>HttpOnly</c> and <c>SameSite</c>.</summary>
    public string? CookieName { get; set; }

    internal IEnumerable<Carrier> All()
    {
        if (HeaderName is { } header) yield return new Carrier(CarrierPlace.Header, header);
        if (QueryName is { } query) yield return new Carrier(CarrierPlace.Query, query);
        if (CookieName is { } cookie) yield return new Carrier(CarrierPlace.Cookie, cookie);
    }
}
