using System.Security.Claims;
using System.Text.Json;

namespace IdP.TokenValidation;

/// <summary>The claims of a credential that was accepted. Immutable, so that they may be kept and shared.</summary>
internal sealed class TokenClaims(JsonElement root)
{
    private Claim[]? _claims;

    public JsonElement Root { get; } = root;

    /// <summary>A new user: names as in the token, one claim for each value. The framework copies the claims, so that nobody changes ours.</summary>
    public ClaimsPrincipal ToPrincipal(string authenticationType, string issuer) =>
        new(new ClaimsIdentity(_claims ??= Read(Root, issuer), authenticationType, nameType: "sub", roleType: "roles"));

    private static Claim[] Read(JsonElement token, string issuer)
    {
        List<Claim> claims = [];
        foreach (var member in token.EnumerateObject())
        {
            if (member.NameEquals("scope"u8))
            {
                // RFC 6749 §3.3: one string with spaces. Anything else grants nothing.
                if (member.Value.ValueKind != JsonValueKind.String) continue;
                foreach (var scope in Scope.Split(member.Value.GetString()!)) claims.Add(new Claim("scope", scope, ClaimValueTypes.String, issuer));
            }
            else if (member.Value.ValueKind == JsonValueKind.Array)
            {
                foreach (var item in member.Value.EnumerateArray()) Add(claims, member.Name, item, issuer);
            }
            else
            {
                Add(claims, member.Name, member.Value, issuer);
            }
        }

        return [.. claims];
    }

    private static void Add(List<Claim> claims, string name, JsonElement value, string issuer)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                claims.Add(new Claim(name, value.GetString()!, ClaimValueTypes.String, issuer));
                break;
            case JsonValueKind.Number:
                claims.Add(new Claim(name, value.GetRawText(), value.TryGetInt64(out _) ? ClaimValueTypes.Integer64 : ClaimValueTypes.Double, issuer));
                break;
            case JsonValueKind.True or JsonValueKind.False:
                claims.Add(new Claim(name, value.GetRawText(), ClaimValueTypes.Boolean, issuer));
                break;
            case JsonValueKind.Object or JsonValueKind.Array:
                claims.Add(new Claim(name, value.GetRawText(), "JSON", issuer));
                break;
        }
    }
}
