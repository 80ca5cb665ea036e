using System.IO.Compression;
using System.Reflection;

namespace IdP.Accounts;

/// <summary>
/// Passwords, names and words that guessers try first: the frequency lists of zxcvbn (see common-passwords.LICENSE.txt), made by
/// build/common-passwords.sh. They are read from the compressed list at each check: a few milliseconds beside the hash that follows, and
/// no memory for what is needed seldom.
/// </summary>
internal static class CommonPasswords
{
    public static bool Contain(string password)
    {
        var wanted = password.ToLowerInvariant();
        using var packed = Assembly.GetExecutingAssembly().GetManifestResourceStream("IdP.Accounts.common-passwords.txt.gz")!;
        using var lines = new StreamReader(new GZipStream(packed, CompressionMode.Decompress));
        while (lines.ReadLine() is { } line)
            if (line == wanted) return true;
        return false;
    }
}
