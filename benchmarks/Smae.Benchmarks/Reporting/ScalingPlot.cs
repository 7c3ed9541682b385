using System.Globalization;
using System.Text;
using Smae.Training;

namespace Smae.Benchmarks;

/// <summary>Draws how time grows: a chart for each family, one above the other.</summary>
internal static class ScalingPlot
{
    private const int Width = 640, Height = 280;
    private const string Style = "text{font:11px sans-serif;fill:#333}.name{font-size:12px}.grid{stroke:#ddd}";

    /// <returns>An SVG file.</returns>
    public static string Draw(IReadOnlyList<(ScalingFamily Family, IReadOnlyList<ScalingPoint> Points)> families)
    {
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {Height * families.Count}\">");
        svg.Append($"<style>{Style}</style><rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>");
        for (int i = 0; i < families.Count; i++)
        {
            // A chart fills what it is put into; this puts it at its place.
            svg.Append(CultureInfo.InvariantCulture, $"<svg y=\"{i * Height}\" width=\"{Width}\" height=\"{Height}\">");
            svg.Append(Chart(families[i].Family, families[i].Points)).Append("</svg>");
        }
        return svg.Append("</svg>").ToString();
    }

    private static string Chart(ScalingFamily family, IReadOnlyList<ScalingPoint> points)
    {
        // What the step would take if time were in proportion to the products, at the rate of the largest.
        ScalingPoint largest = points.MaxBy(p => p.Gigaflop)!;
        double perGigaflop = largest.Step.Median / largest.Gigaflop;
        ScalingPoint[] ordered = [.. points.OrderBy(p => p.X)];
        return SvgChart.Lines(
            family.Axis, "milliseconds a step", ("measured", [.. ordered.Select(p => (p.X, p.Step.Median * 1000))]),
            ("in proportion to the products", [.. ordered.Select(p => (p.X, p.Gigaflop * perGigaflop * 1000))]));
    }
}
