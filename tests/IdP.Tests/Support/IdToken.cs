using System.Buffers.Text;
using System.Text.Json.Nodes;
using IdP.Testing;

namespace IdP.Tests.Support;

/// <summary>What an ID token says, its signature unchecked.</summary>
internal static class IdToken
{
    public static JsonObject Claims(Answer tokens) => Claims(tokens.Json["id_token"]!.GetValue<string>());

    public static JsonObject Claims(string token) => JsonNode.Parse(Base64Url.DecodeFromChars(token.Split('.')[1]))!.AsObject();
}
