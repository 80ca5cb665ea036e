using System.Buffers;
using System.Globalization;
using System.Text;
using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace IdP.TelemetryExport;

/// <summary>Figures in Prometheus' text format 0.0.4. Names are OpenTelemetry's with underscores, the unit in full and, for what only grows, _total.</summary>
internal sealed class PrometheusText() : BaseExportingMetricReader(new Writer())
{
    /// <summary>Asks every instrument and writes what it says. For one caller at a time, who is done with the text before the next.</summary>
    public ReadOnlyMemory<byte> Collected()
    {
        var writer = (Writer)exporter;
        return Collect() ? writer.Text : throw new InvalidOperationException("The figures could not be collected.");
    }

    /// <summary>The name of a metric in Prometheus.</summary>
    public static string NameOf(string name, string unit, bool isSum)
    {
        var words = new StringBuilder(name.Length + 16);
        foreach (var c in name) words.Append(char.IsAsciiLetterOrDigit(c) || c == ':' ? c : '_');
        if (words.Length == 0 || char.IsAsciiDigit(words[0])) words.Insert(0, '_');
        var suffix = unit switch { "s" => "_seconds", "By" => "_bytes", "1" when !isSum => "_ratio", _ => "" };
        if (!name.EndsWith(suffix.TrimStart('_'), StringComparison.Ordinal)) words.Append(suffix);
        return isSum ? words.Append("_total").ToString() : words.ToString();
    }

    private sealed class Writer : BaseExporter<Metric>
    {
        private readonly ArrayBufferWriter<byte> _text = new(64 * 1024);
        private readonly StringBuilder _labels = new();

        public ReadOnlyMemory<byte> Text => _text.WrittenMemory;

        public override ExportResult Export(in Batch<Metric> batch)
        {
            _text.ResetWrittenCount();
            foreach (var metric in batch) Write(metric);
            return ExportResult.Success;
        }

        private void Write(Metric metric)
        {
            var isSum = metric.MetricType is MetricType.LongSum or MetricType.DoubleSum;
            var isHistogram = metric.MetricType is MetricType.Histogram;
            var name = NameOf(metric.Name, metric.Unit, isSum);
            Append($"# HELP {name} {metric.Description.Replace("\\", @"\\", StringComparison.Ordinal).Replace("\n", @"\n", StringComparison.Ordinal)}\n");
            Append($"# TYPE {name} {(isSum ? "counter" : isHistogram ? "histogram" : "gauge")}\n");
            foreach (ref readonly var point in metric.GetMetricPoints())
            {
                var labels = Labels(point.Tags);
                if (isHistogram) WriteHistogram(name, labels, point);
                else Sample(name, labels, Value(metric.MetricType, point));
            }
        }

        private void WriteHistogram(string name, string labels, in MetricPoint point)
        {
            long below = 0;
            foreach (var bucket in point.GetHistogramBuckets())
            {
                below += bucket.BucketCount;
                var le = $"le=\"{Number(bucket.ExplicitBound)}\"";
                Sample($"{name}_bucket", labels.Length == 0 ? le : $"{labels},{le}", below);
            }
            Sample($"{name}_sum", labels, point.GetHistogramSum());
            Sample($"{name}_count", labels, point.GetHistogramCount());
        }

        private static double Value(MetricType type, in MetricPoint point) => type switch
        {
            MetricType.LongSum or MetricType.LongSumNonMonotonic => point.GetSumLong(),
            MetricType.DoubleSum or MetricType.DoubleSumNonMonotonic => point.GetSumDouble(),
            MetricType.LongGauge => point.GetGaugeLastValueLong(),
            MetricType.DoubleGauge => point.GetGaugeLastValueDouble(),
            _ => double.NaN,
        };

        private string Labels(ReadOnlyTagCollection tags)
        {
            _labels.Clear();
            foreach (var (key, value) in tags)
            {
                if (_labels.Length > 0) _labels.Append(',');
                foreach (var c in key) _labels.Append(char.IsAsciiLetterOrDigit(c) ? c : '_');
                _labels.Append("=\"");
                foreach (var c in Convert.ToString(value, CultureInfo.InvariantCulture) ?? "")
                {
                    if (c is '\\' or '"') _labels.Append('\\').Append(c);
                    else if (c == '\n') _labels.Append("\\n");
                    else _labels.Append(c);
                }
                _labels.Append('"');
            }
            return _labels.ToString();
        }

        private void Sample(string name, string labels, double value)
        {
            Append(name);
            if (labels.Length > 0) Append($"{{{labels}}}");
            Append($" {Number(value)}\n");
        }

        private static string Number(double value) =>
            double.IsPositiveInfinity(value) ? "+Inf" : double.IsNegativeInfinity(value) ? "-Inf" : value.ToString("R", CultureInfo.InvariantCulture);

        private void Append(string text) => Encoding.UTF8.GetBytes(text, _text);
    }
}
