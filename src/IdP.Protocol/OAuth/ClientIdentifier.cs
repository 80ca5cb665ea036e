namespace IdP.Protocol.OAuth;

/// <summary>What may be a client_id.</summary>
internal static class ClientIdentifier
{
    public const int Longest = 2048;

    /// <summary>Null when the value may be registered, else what is wrong with it.</summary>
    public static string? Problem(string value)
    {
        // RFC 6749 appendix A.1: printable ASCII.
        if (value.Length is 0 or > Longest || value.AsSpan().IndexOfAnyExceptInRange('\x21', '\x7e') >= 0)
            return $"a client id is 1 to {Longest} printable ASCII characters without spaces";
        // RFC 9700 §4.15: a client must not be able to pass for a person; the sub of a person is 32 hexadecimal digits.
        if (value.Length == 32 && value.All(char.IsAsciiHexDigit)) return "a client id of 32 hexadecimal digits could be taken for a person's sub";
        return null;
    }
}
