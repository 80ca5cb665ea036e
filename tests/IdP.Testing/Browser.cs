using System.Net;
using System.Web;
using AngleSharp.Html.Parser;

namespace IdP.Testing;

/// <summary>A page or a redirect, as a browser got it.</summary>
internal sealed record PageAnswer(HttpResponseMessage Response, string Body)
{
    public int Status => (int)Response.StatusCode;
    public string? Location => Response.Headers.Location?.OriginalString;
    public string Header(string name) => Response.Headers.TryGetValues(name, out var values) || Response.Content.Headers.TryGetValues(name, out values) ? string.Join(", ", values) : "";

    /// <summary>The hidden fields and values of the page's forms.</summary>
    public Dictionary<string, string> Fields()
    {
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var input in new HtmlParser().ParseDocument(Body).QuerySelectorAll("input[name]")) fields[input.GetAttribute("name")!] = input.GetAttribute("value") ?? "";
        return fields;
    }

    /// <summary>The parameters of the authorization response: from query, fragment or the form of form_post.</summary>
    public Dictionary<string, string> ResponseParameters()
    {
        if (Location is null) return Fields();
        var at = Location.IndexOfAny(['?', '#']);
        var parsed = HttpUtility.ParseQueryString(at < 0 ? "" : Location[(at + 1)..].Replace('#', '&'));
        return parsed.AllKeys.Where(key => key is not null).ToDictionary(key => key!, key => parsed[key]!, StringComparer.Ordinal);
    }
}

/// <summary>What a browser is to the provider: it keeps cookies and fills in forms. Redirects are followed only where a test says so.</summary>
internal sealed class Browser : IDisposable
{
    private readonly string _provider;
    private readonly HttpClient _http;

    public Browser(IdpServer server) : this(server.Url, server.Balanced)
    {
    }

    /// <param name="provider">Where the provider is; other addresses may be opened too.</param>
    public Browser(string provider) : this(provider, TestTls.Pin)
    {
    }

    private Browser(string provider, Func<SocketsHttpHandler, HttpMessageHandler> way)
    {
        _provider = provider;
        _http = new HttpClient(way(new SocketsHttpHandler { AllowAutoRedirect = false, CookieContainer = Cookies })) { BaseAddress = new Uri(provider) };
        _http.DefaultRequestHeaders.Accept.ParseAdd("text/html, application/xhtml+xml, */*;q=0.8");
    }

    public CookieContainer Cookies { get; } = new();

    public async Task<PageAnswer> Get(string address)
    {
        var response = await _http.GetAsync(address);
        return new PageAnswer(response, await response.Content.ReadAsStringAsync());
    }

    public async Task<PageAnswer> Post(string address, IEnumerable<KeyValuePair<string, string>> form)
    {
        using var content = new FormUrlEncodedContent(form);
        var response = await _http.PostAsync(address, content);
        return new PageAnswer(response, await response.Content.ReadAsStringAsync());
    }

    public async Task<PageAnswer> Send(HttpRequestMessage request)
    {
        var response = await _http.SendAsync(request);
        return new PageAnswer(response, await response.Content.ReadAsStringAsync());
    }

    /// <summary>Posts the form of a page with some fields filled in, to the page's own address or to one of its handlers.</summary>
    public Task<PageAnswer> Submit(PageAnswer page, string address, params (string Name, string Value)[] filled)
    {
        var fields = page.Fields();
        foreach (var (name, value) in filled) fields[name] = value;
        return Post(address, fields);
    }

    /// <summary>Follows redirects within the provider; the first answer that leads elsewhere, or is a page.</summary>
    public async Task<PageAnswer> Follow(PageAnswer answer)
    {
        for (var i = 0; i < 10 && answer.Location is { } location && (location.StartsWith('/') || location.StartsWith(_provider + "/", StringComparison.Ordinal)); i++) answer = await Get(location);
        return answer;
    }

    /// <summary>Sends the person to the authorization endpoint and follows to the page or the response.</summary>
    public async Task<PageAnswer> Authorize(IEnumerable<KeyValuePair<string, string>> parameters) => await Follow(await Get(Address(parameters)));

    public static string Address(IEnumerable<KeyValuePair<string, string>> parameters) =>
        "/connect/authorize?" + string.Join('&', parameters.Select(pair => $"{Uri.EscapeDataString(pair.Key)}={Uri.EscapeDataString(pair.Value)}"));

    /// <summary>Fills in the sign-in page and follows.</summary>
    public async Task<PageAnswer> SignIn(PageAnswer page, string user = "alice", string password = IdpServer.Password) =>
        await Follow(await Submit(page, "/sign-in", ("username", user), ("password", password)));

    public async Task<PageAnswer> Accept(PageAnswer page) => await Follow(await Submit(page, "/consent"));

    public async Task<PageAnswer> Deny(PageAnswer page) => await Follow(await Submit(page, "/consent?handler=Deny"));

    /// <summary>Goes the whole way, through sign-in and consent as far as they are asked for, to the authorization response.</summary>
    public async Task<PageAnswer> Complete(IEnumerable<KeyValuePair<string, string>> parameters, string user = "alice", string password = IdpServer.Password)
    {
        var answer = await Authorize(parameters);
        if (answer.Body.Contains("id=\"login-submit\"", StringComparison.Ordinal)) answer = await SignIn(answer, user, password);
        if (answer.Body.Contains("id=\"consent-accept\"", StringComparison.Ordinal)) answer = await Accept(answer);
        return answer;
    }

    public void Dispose() => _http.Dispose();
}
