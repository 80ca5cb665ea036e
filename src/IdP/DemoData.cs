using IdP.Http;

namespace IdP;

/// <summary>What <c>serve --demo</c> puts into a new database.</summary>
internal static class DemoData
{
    public static Task Fill(IServiceProvider services, CancellationToken ct) => Task.CompletedTask;

    public static void Print(IdpOptions options, Issuer issuer) => Console.WriteLine(issuer.Value);
}
