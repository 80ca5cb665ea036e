using System.Text;
using IdP.Http;
using IdP.Keys;
using IdP.Protocol.OAuth;

namespace IdP.Ui;

/// <summary>
/// Requests that other sites send a browser with, by an address or by a form. A form that another site posted comes without our cookies,
/// which are for same-site requests and for redirects: it is answered 303 to a GET of the same address, with the parameters sealed. They say
/// nothing of anybody, so any browser may bring them.
/// </summary>
internal sealed class PostedRequests(Sealer sealer)
{
    private const string Parameter = "posted";

    /// <summary>Reads the address, or the form of a POST, or what was sealed when a POST became a GET.</summary>
    public async ValueTask<Result<FormParameters>> Read(HttpContext http, CancellationToken ct)
    {
        if (HttpMethods.IsPost(http.Request.Method)) return await OAuthForm.Read(http.Request, ct, lenient: true);
        var query = http.Request.QueryString.Value ?? "";
        if (FormParameters.ParseLeniently(Encoding.UTF8.GetBytes(query.Length > 0 ? query[1..] : "")).Failed(out var form, out var error)) return error;
        if (form[Parameter] is not { } posted) return form;
        return sealer.Open(KeyPurpose.SealPage, Use(http.Request.Path), posted) is { } kept ? FormParameters.ParseLeniently(kept.Content) : ErrorPage.Expired;
    }

    /// <summary>Answers a POST with the redirect to the GET.</summary>
    public Task ToGet(HttpContext http, string path, string parameters) =>
        SeeOther.Send(http, $"{path}?{Parameter}={sealer.Seal(KeyPurpose.SealPage, Use(path), Encoding.UTF8.GetBytes(parameters))}");

    // What was posted to one address is not taken by another.
    private static string Use(PathString path) => $"idp posted {path.Value?.ToLowerInvariant()}";
}
