using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace IdP.Testing;

/// <summary>A program of its own beside the tests: the provider as it is shipped, an application in another language.</summary>
public sealed class ChildProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _output = new();

    private ChildProcess(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, line) => Append(line.Data);
        process.ErrorDataReceived += (_, line) => Append(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>What it has written so far, standard output and error together.</summary>
    public string Output
    {
        get { lock (_output) return _output.ToString(); }
    }

    /// <summary>The repository's folder.</summary>
    public static string Repository { get; } = FindRepository();

    /// <summary>The provider's program as the build made it, beside the test assembly.</summary>
    public static string[] Provider { get; } = ["dotnet", Path.Combine(AppContext.BaseDirectory, "IdP.dll")];

    /// <summary>A loopback port that is free now.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Starts a server and returns when <paramref name="ready"/> answers with success.</summary>
    public static async Task<ChildProcess> Serve(Uri ready, IEnumerable<string> command, string? folder = null,
        IReadOnlyDictionary<string, string>? environment = null)
    {
        // A bound on its life, so that a test host that is killed leaves no server behind for long.
        var server = new ChildProcess(Start(["timeout", "--kill-after=5", "900", .. command], folder, environment));
        using var http = new HttpClient(TestTls.Pin(new SocketsHttpHandler())) { Timeout = TimeSpan.FromSeconds(5) };
        for (var since = Stopwatch.StartNew(); since.Elapsed < TimeSpan.FromSeconds(60) && !server._process.HasExited; await Task.Delay(50))
        {
            try
            {
                if ((await http.GetAsync(ready)).IsSuccessStatusCode) return server;
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }
        }

        await server.DisposeAsync();
        throw new InvalidOperationException($"{string.Join(' ', command)} gives no answer at {ready}:\n{server.Output}");
    }

    /// <summary>Runs a program to its end and returns what it wrote to standard output; a non-zero exit code throws with everything it wrote.</summary>
    public static async Task<string> Run(IEnumerable<string> command, string? folder = null, IReadOnlyDictionary<string, string>? environment = null)
    {
        var ended = await RunToEnd(command, folder, environment);
        return ended.ExitCode == 0
            ? ended.Output
            : throw new InvalidOperationException($"{string.Join(' ', command)} ended with exit code {ended.ExitCode}:\n{ended.Output}{ended.Error}");
    }

    /// <summary>Runs a program to its end, however that comes out.</summary>
    public static async Task<EndedProcess> RunToEnd(IEnumerable<string> command, string? folder = null, IReadOnlyDictionary<string, string>? environment = null)
    {
        using var process = Start(["timeout", "--kill-after=5", "120", .. command], folder, environment);
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return new EndedProcess(process.ExitCode, output, await error);
    }

    /// <summary>Starts a program that is to go on beside the test; a time limit ends it if the test does not.</summary>
    public static ChildProcess Begin(IEnumerable<string> command, string? folder = null, IReadOnlyDictionary<string, string>? environment = null) =>
        new(Start(["timeout", "--kill-after=5", "900", .. command], folder, environment));

    /// <summary>Ends the program in the middle of whatever it does (SIGKILL): nothing is written any more, nothing said.</summary>
    public Task Kill()
    {
        _process.Kill(entireProcessTree: true);
        return _process.WaitForExitAsync();
    }

    /// <summary>Asks the program to end, as an operator would (SIGTERM), and waits for it; its exit code.</summary>
    public async Task<int> End()
    {
        if (!_process.HasExited)
        {
            // timeout(1) passes the signal on.
            using var kill = Process.Start("kill", ["-TERM", _process.Id.ToString()]);
            await kill.WaitForExitAsync();
        }

        await _process.WaitForExitAsync();
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        await End();
        _process.Dispose();
    }

    private static Process Start(string[] command, string? folder, IReadOnlyDictionary<string, string>? environment)
    {
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder ?? "",
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;
        return Process.Start(start)!;
    }

    private static string FindRepository()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "IdentityProvider.sln"))) return folder.FullName;
        throw new InvalidOperationException("The tests do not run inside the repository.");
    }

    private void Append(string? line)
    {
        if (line is null) return;
        lock (_output) _output.AppendLine(line);
    }
}

/// <summary>What a program left behind when it ended.</summary>
public sealed record EndedProcess(int ExitCode, string Output, string Error);
