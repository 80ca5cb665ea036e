using System.Buffers;
using System.IO.Pipelines;
using IdP.Protocol.OAuth;

namespace IdP.Http;

/// <summary>Reads the form of a protocol request, strictly.</summary>
internal static class OAuthForm
{
    public const int LongestBody = 64 * 1024;
    private const string FormType = "application/x-www-form-urlencoded";

    /// <param name="request">The request.</param>
    /// <param name="ct">Cancels.</param>
    /// <param name="lenient">Lets repeated parameters through, for an endpoint that tells its client of them.</param>
    public static async ValueTask<Result<FormParameters>> Read(HttpRequest request, CancellationToken ct, bool lenient = false)
    {
        // RFC 6749 §2.3.1, §3.2: parameters are in the body alone; a URL ends up in logs.
        if (request.QueryString.HasValue) return OAuthError.InvalidRequest("parameters belong into the body, not into the URL");
        if (request.Headers.ContentEncoding.Count > 0) return new OAuthError("invalid_request", "a compressed body is not supported", 415);
        if (!IsForm(request.ContentType)) return OAuthError.InvalidRequest($"the Content-Type must be {FormType}");
        if (request.ContentLength > LongestBody) return TooLarge();

        var reader = request.BodyReader;
        while (true)
        {
            ReadResult read;
            try
            {
                read = await reader.ReadAsync(ct);
            }
            catch (IOException failure)
            {
                // A length or a chunk that is broken; the listener's own text may quote it, so the log has the kind only.
                return failure is BadHttpRequestException { StatusCode: 413 } ? TooLarge() : OAuthError.InvalidRequest("the body is broken", failure.GetType().Name);
            }
            if (read.Buffer.Length > LongestBody)
            {
                reader.AdvanceTo(read.Buffer.End);
                return TooLarge();
            }
            if (!read.IsCompleted)
            {
                reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                continue;
            }
            var parameters = Parse(read.Buffer, lenient);
            reader.AdvanceTo(read.Buffer.End);
            return parameters;
        }
    }

    private static Result<FormParameters> Parse(ReadOnlySequence<byte> body, bool lenient)
    {
        var bytes = body.IsSingleSegment ? body.FirstSpan : body.ToArray();
        return lenient ? FormParameters.ParseLeniently(bytes) : FormParameters.Parse(bytes);
    }

    private static bool IsForm(string? contentType)
    {
        if (contentType is null) return false;
        var semicolon = contentType.IndexOf(';', StringComparison.Ordinal);
        var media = (semicolon < 0 ? contentType : contentType.AsSpan(0, semicolon)).Trim();
        return media.Equals(FormType, StringComparison.OrdinalIgnoreCase);
    }

    private static OAuthError TooLarge() => OAuthError.TooLarge($"the body is larger than {LongestBody} bytes");
}
