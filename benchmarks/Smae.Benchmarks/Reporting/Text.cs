using System.Globalization;
using Spectre.Console;

namespace Smae.Benchmarks;

/// <summary>Numbers and tables as the benchmarks print them.</summary>
internal static class Text
{
    public static string Number(double value, string format = "0.0") => value.ToString(format, CultureInfo.InvariantCulture);

    /// <summary>A length of time in the unit that suits it.</summary>
    public static string Seconds(double value) => value < 1 ? $"{Number(value * 1000, value < 0.1 ? "0.00" : "0.0")} ms" : $"{Number(value, "0.00")} s";

    public static string Megabytes(double bytes) => $"{Number(bytes / (1 << 20), "0")} MiB";

    /// <summary>A table whose first column is text and whose other columns are numbers.</summary>
    public static Table Table(string title, params IReadOnlyList<string> columns)
    {
        var table = new Table().Title(Markup.Escape(title));
        for (int i = 0; i < columns.Count; i++)
        {
            var column = new TableColumn(Markup.Escape(columns[i]));
            table.AddColumn(i == 0 ? column.NoWrap() : column.RightAligned());
        }
        return table;
    }

    /// <summary>The sides of a comparison with medians, ends and ratios to Smae's best.</summary>
    public static void Print(string title, IReadOnlyList<SideResult> sides, SideResult own)
    {
        Table table = Table(title, "", "images/s", "step", "range", $"{own.Name} is faster by", "peak memory", "threads", "BLAS");
        foreach (SideResult side in sides)
        {
            Spread step = side.StepSeconds;
            table.AddRow(
                Markup.Escape(side.Name), Number(side.ImagesPerSecond), Seconds(step.Median), $"{Seconds(step.Least)} - {Seconds(step.Most)}",
                ReferenceEquals(side, own) ? "" : Number(own.SpeedOver(side), "0.00"), Megabytes(side.PeakResidentBytes), $"{side.Start.Threads}",
                Markup.Escape(string.Join(' ', side.Start.Blas)));
        }
        AnsiConsole.Write(table);
    }
}
