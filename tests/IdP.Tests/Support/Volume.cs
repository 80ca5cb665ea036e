using System.Globalization;
using Xunit.Abstractions;

namespace IdP.Tests.Support;

/// <summary>How much of a case of great volume runs: a part by default, all of it when IDP_TEST_LONG is set. It is printed either way.</summary>
internal static class Volume
{
    public static bool IsFull { get; } = Environment.GetEnvironmentVariable("IDP_TEST_LONG") is { Length: > 0 };

    public static int Of(ITestOutputHelper output, int full, int part)
    {
        var count = IsFull ? full : part;
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{count:N0} of {full:N0} ({100.0 * count / full:0.#} %){(IsFull ? "" : "; IDP_TEST_LONG=1 runs all")}"));
        return count;
    }
}
