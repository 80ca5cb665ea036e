using System.Security.Claims;
using System.Text.Json;

namespace IdP.TokenValidation;

/// <summary>Turns the claims of a token into the user of a request: names as in the token, one claim for each value.</summary>
internal static class TokenPrincipal
{
    public static ClaimsPrincipal Create(JsonElement token, string authenticationType, string issuer)
    {
        var identity = new ClaimsIdentity(authenticationType, nameType: "sub", roleType: "roles");
        foreach (var member in token.EnumerateObject())
        {
            if (member.NameEquals("scope"u8))
            {
                // RFC 6749 §3.3: one string with spaces. Anything else grants nothing.
                if (member.Value.ValueKind != JsonValueKind.String) continue;
                foreach (var scope in Scope.Split(member.Value.GetString()!)) Add(identity, "scope", scope, ClaimValueTypes.String, issuer);
            }
            else if (member.Value.ValueKind == JsonValueKind.Array)
            {
                foreach (var item in member.Value.EnumerateArray()) Add(identity, member.Name, item, issuer);
            }
            else
            {
                Add(identity, member.Name, member.Value, issuer);
            }
        }

        return new ClaimsPrincipal(identity);
    }

    private static void Add(ClaimsIdentity identity, string name, JsonElement value, string issuer)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                Add(identity, name, value.GetString()!, ClaimValueTypes.String, issuer);
                break;
            case JsonValueKind.Number:
                Add(identity, name, value.GetRawText(), value.TryGetInt64(out _) ? ClaimValueTypes.Integer64 : ClaimValueTypes.Double, issuer);
                break;
            case JsonValueKind.True or JsonValueKind.False:
                Add(identity, name, value.GetRawText(), ClaimValueTypes.Boolean, issuer);
                break;
            case JsonValueKind.Object or JsonValueKind.Array:
                Add(identity, name, value.GetRawText(), "JSON", issuer);
                break;
        }
    }

    private static void Add(ClaimsIdentity identity, string name, string value, string type, string issuer) =>
        identity.AddClaim(new Claim(name, value, type, issuer));
}
