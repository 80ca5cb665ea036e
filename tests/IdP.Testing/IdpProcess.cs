namespace IdP.Testing;

/// <summary>The provider's program as a process of its own, run to its end.</summary>
public static class IdpProcess
{
    /// <summary>Runs the program, which has to end by itself.</summary>
    public static Task<EndedProcess> Run(params string[] arguments) => Run(new Dictionary<string, string>(), [], arguments);

    /// <summary>Runs the program.</summary>
    /// <param name="environment">Variables besides those of this process.</param>
    /// <param name="launcher">A command that starts it, such as one that takes rights away first; may be empty.</param>
    /// <param name="arguments">The command line.</param>
    public static Task<EndedProcess> Run(IReadOnlyDictionary<string, string> environment, IEnumerable<string> launcher, IEnumerable<string> arguments) =>
        ChildProcess.RunToEnd([.. launcher, .. ChildProcess.Provider, .. arguments], environment: environment);
}
