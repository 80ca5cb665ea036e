using System.Diagnostics.Metrics;
using System.Text;
using IdP.TelemetryExport;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using Xunit;

namespace IdP.Tests.Observability;

public sealed class PrometheusTextTests
{
    [Fact]
    public void Texts_are_escaped_and_numbers_are_written_as_the_format_wants_them()
    {
        using var meter = new Meter("of a test");
        using var text = new PrometheusText();
        using var provider = Sdk.CreateMeterProviderBuilder().AddMeter(meter.Name).AddReader(text).Build();
        meter.CreateCounter<long>("a.b", "{thing}", "two\nlines and a \\").Add(3, new KeyValuePair<string, object?>("x.y", "quote \" back \\ line \n end"));
        var histogram = meter.CreateHistogram<double>("took", "s", "how long", advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.5, 1] });
        foreach (var value in (double[])[0.25, 0.75, 0.75, 8]) histogram.Record(value);
        meter.CreateObservableGauge("size", () => double.PositiveInfinity, "By", "how large");

        Assert.Equal(
            """
            # HELP a_b_total two\nlines and a \\
            # TYPE a_b_total counter
            a_b_total{x_y="quote \" back \\ line \n end"} 3
            # HELP took_seconds how long
            # TYPE took_seconds histogram
            took_seconds_bucket{le="0.5"} 1
            took_seconds_bucket{le="1"} 3
            took_seconds_bucket{le="+Inf"} 4
            took_seconds_sum 9.75
            took_seconds_count 4
            # HELP size_bytes how large
            # TYPE size_bytes gauge
            size_bytes +Inf

            """, Encoding.UTF8.GetString(text.Collected().Span));
        // The second time it is the whole again, and nothing of the first.
        Assert.Equal(text.Collected().Length, text.Collected().Length);
    }

    [Theory]
    [InlineData("dotnet.process.cpu.time", "s", true, "dotnet_process_cpu_time_seconds_total")]
    [InlineData("dotnet.process.memory.working_set", "By", false, "dotnet_process_memory_working_set_bytes")]
    [InlineData("idp.hash.queue", "{check}", false, "idp_hash_queue")]
    [InlineData("share", "1", false, "share_ratio")]
    [InlineData("1st-one", null, false, "_1st_one")]
    public void Names_have_underscores_their_unit_in_full_and_say_what_only_grows(string name, string? unit, bool isSum, string expected) =>
        Assert.Equal(expected, PrometheusText.NameOf(name, unit ?? "", isSum));
}
