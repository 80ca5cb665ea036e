using System.Runtime.InteropServices;

namespace IdP.Storage;

/// <summary>What the superuser writes into the service's folder belongs to the service: it could not open it otherwise.</summary>
internal static partial class FolderOwner
{
    private const int CurrentFolder = -100; // AT_FDCWD
    private const uint UserAndGroup = 0x18; // STATX_UID | STATX_GID

    /// <summary>Gives the file to whoever the folder belongs to. Other users than the superuser own what they write, and nothing happens.</summary>
    /// <exception cref="StorageException">This superuser may not give files away.</exception>
    public static void Give(string file, string folder)
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess) return;
        // struct statx is the same on every architecture: stx_uid stands at 20, stx_gid at 24.
        Span<byte> facts = stackalloc byte[256];
        if (Statx(CurrentFolder, folder, 0, UserAndGroup, facts) != 0) throw Refused(file, folder);
        var (user, group) = (MemoryMarshal.Read<uint>(facts[20..]), MemoryMarshal.Read<uint>(facts[24..]));
        if (user != 0 && Chown(file, user, group) != 0) throw Refused(file, folder);
    }

    private static StorageException Refused(string file, string folder) =>
        new($"{file} cannot be given to the owner of {folder} ({Marshal.GetLastPInvokeErrorMessage()}): run this as that user instead of root.");

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int Statx(int folder, string path, int flags, uint mask, Span<byte> facts);

    [LibraryImport("libc", EntryPoint = "chown", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int Chown(string path, uint user, uint group);
}
