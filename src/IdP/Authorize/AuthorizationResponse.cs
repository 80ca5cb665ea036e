using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using IdP.Http;
using IdP.Protocol.OAuth;
using IdP.Ui;

namespace IdP.Authorize;

/// <summary>The one writer of authorization responses. It takes a proven address and nothing else, so that an open redirect does not compile.</summary>
internal sealed class AuthorizationResponse(Issuer issuer, Stylesheet style)
{
    public Task Code(HttpContext http, ResponseTarget target, string code)
    {
        RequestFacts.Of(http).Outcome = "code";
        return Write(http, target, [("code", code)]);
    }

    public Task Error(HttpContext http, ResponseTarget target, OAuthError error)
    {
        var facts = RequestFacts.Of(http);
        (facts.Outcome, facts.Detail) = (error.Code, error.Detail ?? error.Description);
        return Write(http, target, [("error", error.Code), ("error_description", error.Description)]);
    }

    // Awaited by its callers, so that a signed response (JARM) is one more mode.
    private Task Write(HttpContext http, ResponseTarget target, List<(string Name, string Value)> members)
    {
        if (target.State is { } state) members.Add(("state", state));
        // RFC 9207 §2: in every response.
        members.Add(("iss", issuer.Value));
        http.Response.Headers.CacheControl = "no-store";
        // RFC 9700 §4.2.4: the code must not travel on in a Referer.
        http.Response.Headers["Referrer-Policy"] = "no-referrer";
        if (target.Mode == ResponseMode.FormPost) return Post(http, target.RedirectUri, members);

        var encoded = string.Join('&', members.Select(member => $"{member.Name}={Uri.EscapeDataString(member.Value)}"));
        var address = target.RedirectUri.Value;
        var separator = target.Mode == ResponseMode.Fragment ? '#' : address.Contains('?', StringComparison.Ordinal) ? '&' : '?';
        // RFC 9700 §4.12: 303, after which no browser posts again what was posted here.
        http.Response.StatusCode = 303;
        http.Response.Headers.Location = $"{address}{separator}{encoded}";
        return Task.CompletedTask;
    }

    // OAuth 2.0 Form Post Response Mode §2: a form that submits itself, and a button where scripts do not run.
    private Task Post(HttpContext http, ValidRedirectUri redirectUri, List<(string Name, string Value)> members)
    {
        var (encoder, nonce) = (HtmlEncoder.Default, Convert.ToBase64String(RandomNumberGenerator.GetBytes(16)));
        var texts = Texts.Of(http);
        var title = encoder.Encode(texts["FormPost.Title"]);
        var html = new StringBuilder($"<!DOCTYPE html><html lang=\"{texts.Language}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
        html.Append($"<title>{title}</title><link rel=\"stylesheet\" href=\"{style.Address}\"></head><body><main><h1>{title}</h1>");
        html.Append($"<form method=\"post\" action=\"{encoder.Encode(redirectUri.Value)}\">");
        foreach (var (name, value) in members) html.Append($"<input type=\"hidden\" name=\"{name}\" value=\"{encoder.Encode(value)}\">");
        html.Append($"<noscript><button id=\"form-post-submit\">{encoder.Encode(texts["FormPost.Submit"])}</button></noscript></form></main>");
        html.Append($"<script nonce=\"{encoder.Encode(nonce)}\">document.forms[0].submit()</script></body></html>");
        // No form-action: browsers apply it to where the client redirects next, and the page has nothing but this one form.
        PageHeaders.Set(http, $"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'");
        http.Response.ContentType = "text/html; charset=utf-8";
        return http.Response.WriteAsync(html.ToString(), http.RequestAborted);
    }
}
