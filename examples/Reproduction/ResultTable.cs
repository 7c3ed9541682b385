using System.Globalization;
using System.Text;

namespace Reproduction;

/// <summary>The table, in Markdown.</summary>
internal static class ResultTable
{
    private static readonly string[] s_head =
        ["method", "masking", "k-NN", "linear probe", "Tiny ImageNet", "CUB", "ms/image", "of MAE's", "MiB", "seconds"];

    /// <param name="methods">The rows, in their order.</param>
    /// <param name="results">What was measured; of several seeds the table shows mean and standard deviation.</param>
    public static string Of(IEnumerable<Method> methods, Results results)
    {
        double? cost = Cost(results.Rows.Where(f => f.Method == Method.Baseline));
        string[][] rows = [s_head, .. methods.Select(m => Row(m, [.. results.Rows.Where(f => f.Method == m.Key)], cost))];
        int[] widths = [.. s_head.Select((_, column) => rows.Max(row => row[column].Length))];
        var text = new StringBuilder();
        for (int i = 0; i < rows.Length; i++)
        {
            IEnumerable<string> cells = rows[i].Select((cell, c) => c < 2 ? cell.PadRight(widths[c]) : cell.PadLeft(widths[c]));
            text.Append("| ").AppendJoin(" | ", cells).Append(" |\n");
            if (i == 0) text.Append('|').AppendJoin('|', widths.Select((w, c) => new string('-', w + 1) + (c < 2 ? '-' : ':'))).Append("|\n");
        }
        return text.ToString();
    }

    private static string[] Row(Method method, Figures[] seeds, double? cost)
    {
        double? own = Cost(seeds);
        return
        [
            method.Name, method.Masking, Percent(seeds.Select(f => f.Neighbors)), Percent(seeds.Select(f => f.LinearProbe)),
            Percent(seeds.Select(f => f.TinyImageNet)), Percent(seeds.Select(f => f.Cub)), own is null ? "" : Invariant($"{own:F2}"),
            own is null || cost is null ? "" : Invariant($"{own / cost:F2}"), Mean(seeds.Select(f => f.PeakMegabytes)),
            Mean(seeds.Select(f => (double?)f.Seconds)),
        ];
    }

    /// <summary>Milliseconds of pretraining that an image costs in an epoch.</summary>
    private static double? Cost(IEnumerable<Figures> seeds) => seeds.Select(f => 1000 / f.ImagesPerSecond).Average();

    private static string Percent(IEnumerable<double?> shares)
    {
        double[] values = [.. shares.OfType<double>().Select(s => 100 * s)];
        if (values.Length < 2) return values.Length == 0 ? "" : Invariant($"{values[0]:F1}");
        double mean = values.Average(), deviation = Math.Sqrt(values.Sum(v => (v - mean) * (v - mean)) / (values.Length - 1));
        return Invariant($"{mean:F1} ± {deviation:F1}");
    }

    private static string Mean(IEnumerable<double?> numbers) =>
        numbers.OfType<double>().ToArray() is { Length: > 0 } values ? Invariant($"{values.Average():F0}") : "";

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
