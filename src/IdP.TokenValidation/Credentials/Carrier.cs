using System.Buffers;
using System.Text;
using IdP.Protocol;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace IdP.TokenValidation;

/// <summary>Where in a request a credential stands.</summary>
internal enum CarrierPlace
{
    Bearer,
    Basic,
    Header,
    Query,
    Cookie,
}

/// <summary>What a carrier has: a credential's text, or a problem, or neither.</summary>
internal readonly record struct Presented(string? Text, string? Problem)
{
    public bool IsThere => Text is not null || Problem is not null;

    public static Presented Malformed(string problem) => new(null, problem);
}

/// <summary>One place where a credential may stand; the name is that of the header, the parameter or the cookie.</summary>
internal sealed record Carrier(CarrierPlace Place, string Name)
{
    // RFC 6750 §2.1, b64token; RFC 7617 §2, token68.
    private static readonly SearchValues<char> TokenCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/");

    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    public static Carrier Bearer { get; } = new(CarrierPlace.Bearer, "Bearer");

    public static Carrier Basic { get; } = new(CarrierPlace.Basic, "Basic");

    public override string ToString() => Place switch
    {
        CarrierPlace.Header => $"the header {Name}",
        CarrierPlace.Query => $"the query parameter {Name}",
        CarrierPlace.Cookie => $"the cookie {Name}",
        _ => $"the Authorization header ({Name})",
    };

    /// <summary>Reads the one credential that the request carries in any of these places.</summary>
    /// <returns>A problem if a place has it twice or malformed, or if two places have one: nobody could say which counts.</returns>
    public static Presented FindOne(HttpRequest request, ReadOnlySpan<Carrier> carriers, out Carrier? carrier)
    {
        carrier = null;
        Presented found = default;
        foreach (var next in carriers)
        {
            var presented = next.Find(request);
            if (!presented.IsThere) continue;
            if (presented.Problem is not null) { carrier = next; return presented; }
            if (carrier is not null) return Presented.Malformed($"The request carries credentials in {carrier} and in {next}: send one of them");
            (carrier, found) = (next, presented);
        }

        return found;
    }

    public Presented Find(HttpRequest request) => Place switch
    {
        CarrierPlace.Bearer => FindBearer(request),
        CarrierPlace.Basic => FindBasic(request),
        CarrierPlace.Header => FindHeader(request.Headers[Name]),
        CarrierPlace.Query => Single(request.Query[Name]),
        _ => FindCookie(request.Headers.Cookie),
    };

    private Presented Single(StringValues values) => values.Count switch
    {
        0 => default,
        1 => new Presented(values[0] ?? "", null),
        _ => Presented.Malformed($"The request has {this} more than once"),
    };

    // RFC 9110 §5.3: who passes a request on may put two lines of a header together with a comma, which no key has.
    private Presented FindHeader(StringValues values) =>
        values.Count == 1 && values[0]!.Contains(',', StringComparison.Ordinal) ? Presented.Malformed($"The request has {this} more than once") : Single(values);

    private static Presented FindBearer(HttpRequest request)
    {
        if (!HasScheme(request, Bearer.Name, out var header, out var malformed)) return malformed;

        // RFC 6750 §2: one method per request; this API reads one only, but a second one shows that something is wrong.
        if (request.Query.ContainsKey("access_token")) return Presented.Malformed("The request carries a token in more than one place");
        return IsToken68(header, Bearer.Name.Length)
            ? new Presented(header[(Bearer.Name.Length + 1)..], null)
            : Presented.Malformed("The Authorization header is not Bearer, one space and a token");
    }

    /// <returns>The whole API key: the user name is its id, the password its secret (RFC 7617 §2). What is no key comes out as text that is none.</returns>
    private static Presented FindBasic(HttpRequest request)
    {
        const int longest = 512;
        if (!HasScheme(request, Basic.Name, out var header, out var malformed)) return malformed;
        if (!IsToken68(header, Basic.Name.Length)) return Presented.Malformed("The Authorization header is not Basic, one space and base64");
        if (header.Length > longest) return new Presented("", null);
        Span<byte> bytes = stackalloc byte[longest];
        if (!Convert.TryFromBase64Chars(header.AsSpan(Basic.Name.Length + 1), bytes, out var length))
            return Presented.Malformed("The Authorization header is not Basic, one space and base64");
        try
        {
            var pair = StrictUtf8.GetString(bytes[..length]);
            var colon = pair.IndexOf(':', StringComparison.Ordinal);
            return new Presented(colon < 0 ? "" : $"{ApiKeyText.Prefix}{pair.AsSpan(0, colon)}_{pair.AsSpan(colon + 1)}", null);
        }
        catch (DecoderFallbackException)
        {
            return new Presented("", null);
        }
    }

    private static bool HasScheme(HttpRequest request, string scheme, out string header, out Presented malformed)
    {
        var headers = request.Headers.Authorization;
        (header, malformed) = (headers.Count == 1 ? headers[0] ?? "" : "", default);
        if (headers.Count > 1) malformed = Presented.Malformed("The request has more than one Authorization header");

        // RFC 9110 §11.1: the name of a scheme has no case.
        if (!header.StartsWith(scheme, StringComparison.OrdinalIgnoreCase)) return false;
        return header.Length == scheme.Length || header[scheme.Length] is ' ' or '\t' or ',' or '=';
    }

    private static bool IsToken68(string header, int schemeLength)
    {
        if (header.Length <= schemeLength + 1 || header[schemeLength] != ' ') return false;
        var token = header.AsSpan(schemeLength + 1).TrimEnd('=');
        return !token.IsEmpty && !token.ContainsAnyExcept(TokenCharacters);
    }

    // Not Request.Cookies, which shows one of two cookies of the same name.
    private Presented FindCookie(StringValues headers)
    {
        Presented found = default;
        foreach (var header in headers)
        {
            foreach (var range in header.AsSpan().Split(';'))
            {
                var pair = header.AsSpan()[range].Trim(" \t");
                if (pair.Length <= Name.Length || pair[Name.Length] != '=' || !pair.StartsWith(Name, StringComparison.Ordinal)) continue;
                if (found.IsThere) return Presented.Malformed($"The request has {this} more than once");
                found = new Presented(pair[(Name.Length + 1)..].ToString(), null);
            }
        }

        return found;
    }
}
