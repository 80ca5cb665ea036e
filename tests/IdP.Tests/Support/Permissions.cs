using System.ComponentModel;
using System.Diagnostics;
using Xunit;

namespace IdP.Tests.Support;

/// <summary>A test about permissions of files. The superuser is above them, so the program under test is started without that privilege.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class PermissionsFactAttribute : FactAttribute
{
    public PermissionsFactAttribute()
    {
        if (OperatingSystem.IsWindows()) Skip = "Windows has other permissions.";
        else if (Environment.IsPrivilegedProcess && Permissions.Counting.Length == 0) Skip = "Runs as the superuser, and setpriv cannot take that privilege away here.";
    }
}

/// <summary>A test about what the superuser writes into somebody else's folder.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class SuperuserFactAttribute : FactAttribute
{
    public SuperuserFactAttribute()
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess) Skip = "Only the superuser gives files away.";
    }
}

/// <summary>A test that mounts a small disk to fill it.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class SmallDiskFactAttribute : FactAttribute
{
    public SmallDiskFactAttribute()
    {
        // In a namespace of its own, so that nothing stays mounted.
        if (!Permissions.Succeeds("unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/tmp")) Skip = "This user may not mount a small disk (root in a container with CAP_SYS_ADMIN may).";
    }
}

internal static class Permissions
{
    /// <summary>What starts a program so that permissions count for it; empty where they do anyway.</summary>
    public static string[] Counting { get; } = Environment.IsPrivilegedProcess && Succeeds("setpriv", "--bounding-set=-all", "true") ? ["setpriv", "--bounding-set=-all"] : [];

    /// <summary>Takes permissions from a file or folder until it is disposed of.</summary>
    public static IDisposable Only(string path, UnixFileMode mode)
    {
        if (OperatingSystem.IsWindows()) throw new PlatformNotSupportedException();
        var before = File.GetUnixFileMode(path);
        File.SetUnixFileMode(path, mode);
        return new Restore(() =>
        {
            if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, before);
        });
    }

    internal static bool Succeeds(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardError = true })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (Win32Exception)
        {
            return false;
        }
    }

    private sealed class Restore(Action restore) : IDisposable
    {
        public void Dispose() => restore();
    }
}
