using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace IdP.Accounts;

/// <summary>
/// Passwords known from breaches, in a local file that the operator keeps: lines of SHA-1 hash, colon, count, in the order of the hashes, as
/// the downloader of Have I Been Pwned makes it. Nothing about a password leaves this machine. The file may be larger than memory: it is
/// searched where it lies.
/// </summary>
internal sealed class BreachedPasswords(IdpOptions options)
{
    private const int HashLength = 40;

    // A line with its count and line break is shorter, so that what is read from within a line holds the start of the next.
    private const int LongestLine = 80;

    private static readonly SearchValues<byte> Hex = SearchValues.Create("0123456789abcdefABCDEF"u8);

    public bool Contain(string password)
    {
        if (options.Passwords.BreachedFile is not { } file) return false;
#pragma warning disable CA5350 // SHA-1 is what the published lists are made of; nothing rests on its strength.
        var wanted = Encoding.ASCII.GetBytes(Convert.ToHexString(SHA1.HashData(Encoding.UTF8.GetBytes(password))));
#pragma warning restore CA5350
        using var handle = File.OpenHandle(file, options: FileOptions.RandomAccess);
        // The line, if it is there, begins at or after low and before high.
        var (low, high) = (0L, RandomAccess.GetLength(handle));
        Span<byte> hash = stackalloc byte[HashLength];
        while (low < high)
        {
            var middle = low + ((high - low) / 2);
            var start = LineFrom(handle, middle, hash);
            if (start is null || start >= high) { high = middle; continue; }
            var order = hash.SequenceCompareTo(wanted);
            if (order == 0) return true;
            if (order < 0) low = start.Value + 1;
            else high = middle;
        }
        return false;
    }

    /// <summary>What is wrong with a file that is to be searched; null when nothing is.</summary>
    public static string? Problem(string file)
    {
        try
        {
            using var handle = File.OpenHandle(file);
            Span<byte> first = stackalloc byte[HashLength + 1];
            return RandomAccess.Read(handle, first, 0) == first.Length && first[HashLength] == ':' && !first[..HashLength].ContainsAnyExcept(Hex)
                ? null : "does not begin with a SHA-1 hash and a colon: it must have lines such as 000000005AD76BD555C1D6D771DE417A4B87E4B4:10, in the order of the hashes";
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return "cannot be read: correct the path, or give this user read access to it";
        }
    }

    /// <summary>Where the first line begins that does so at the offset or after it; null when there is none.</summary>
    private static long? LineFrom(SafeFileHandle handle, long offset, Span<byte> hash)
    {
        Span<byte> around = stackalloc byte[LongestLine + HashLength];
        var from = Math.Max(0, offset - 1);
        var read = around[..RandomAccess.Read(handle, around, from)];
        var start = offset == 0 ? 0 : read.IndexOf((byte)'\n') + 1;
        if ((offset > 0 && start == 0) || start + HashLength > read.Length) return null;
        Ascii.ToUpper(read.Slice(start, HashLength), hash, out _);
        return from + start;
    }
}
