using System.Text.Json;
using IdP.Protocol.OAuth;

namespace IdP.Protocol.OpenId;

/// <summary>How a claim was asked for by name (OpenID Connect Core §5.5.1).</summary>
/// <param name="IsEssential">Whether the client says that it needs the claim.</param>
/// <param name="Values">The values that would do; empty when any would.</param>
internal sealed record RequestedClaim(bool IsEssential, IReadOnlyList<string> Values);

/// <summary>The parameter claims (OpenID Connect Core §5.5): which claims are asked for by name, and where they are to appear.</summary>
internal sealed record ClaimsRequest(IReadOnlyDictionary<string, RequestedClaim> UserInfo, IReadOnlyDictionary<string, RequestedClaim> IdToken)
{
    public const int Longest = 4000;
    private static readonly Dictionary<string, RequestedClaim> Nothing = [];

    public static readonly ClaimsRequest None = new(Nothing, Nothing);

    /// <summary>Reads the parameter; members that nobody knows are ignored, a broken shape is an error.</summary>
    public static Result<ClaimsRequest> Parse(string? json)
    {
        if (json is null) return None;
        if (json.Length > Longest) return OAuthError.InvalidRequest($"claims is longer than {Longest} characters");
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 8, AllowDuplicateProperties = false });
            if (document.RootElement.ValueKind != JsonValueKind.Object) return Broken();
            if (Read(document.RootElement, "userinfo").Failed(out var userInfo, out var error)) return error;
            if (Read(document.RootElement, "id_token").Failed(out var idToken, out error)) return error;
            return new ClaimsRequest(userInfo, idToken);
        }
        catch (JsonException)
        {
            return Broken();
        }
    }

    private static Result<Dictionary<string, RequestedClaim>> Read(JsonElement root, string name)
    {
        if (!root.TryGetProperty(name, out var member) || member.ValueKind == JsonValueKind.Null) return Nothing;
        if (member.ValueKind != JsonValueKind.Object) return Broken();
        var claims = new Dictionary<string, RequestedClaim>(StringComparer.Ordinal);
        foreach (var claim in member.EnumerateObject())
        {
            if (claim.Value.ValueKind == JsonValueKind.Null)
            {
                claims[claim.Name] = new RequestedClaim(false, []);
                continue;
            }
            if (claim.Value.ValueKind != JsonValueKind.Object) return Broken();
            var essential = claim.Value.TryGetProperty("essential", out var flag) ? flag : default;
            if (essential.ValueKind is not (JsonValueKind.Undefined or JsonValueKind.True or JsonValueKind.False)) return Broken();
            if (Values(claim.Value).Failed(out var values, out var error)) return error;
            claims[claim.Name] = new RequestedClaim(essential.ValueKind == JsonValueKind.True, values);
        }
        return claims;
    }

    private static Result<List<string>> Values(JsonElement claim)
    {
        var values = new List<string>();
        if (claim.TryGetProperty("value", out var one)) values.Add(Text(one));
        if (!claim.TryGetProperty("values", out var several)) return values;
        if (several.ValueKind != JsonValueKind.Array) return Broken();
        values.AddRange(several.EnumerateArray().Select(Text));
        return values;
    }

    private static string Text(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();

    private static OAuthError Broken() => OAuthError.InvalidRequest("claims must be a JSON object as OpenID Connect Core 5.5 describes");
}
