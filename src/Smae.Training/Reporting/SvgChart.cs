using System.Globalization;
using System.Net;
using System.Text;

namespace Smae.Training;

/// <summary>Draws curves and bars as SVG, to be put into a page.</summary>
internal static class SvgChart
{
    private const double Width = 640, Height = 280, Left = 64, Right = 16, Top = 16, Bottom = 40;
    private static readonly string[] s_colors = ["#1f6fb4", "#d1603d", "#3a8f5c", "#7a5aa6", "#8c6d31", "#4d4d4d"];

    /// <param name="xName">What the horizontal axis counts.</param>
    /// <param name="yName">What the vertical axis measures, with its unit.</param>
    /// <param name="lines">Each line's name and points; points that are not finite are left out.</param>
    /// <exception cref="ArgumentException">No line has a finite point.</exception>
    public static string Lines(string xName, string yName, params IReadOnlyList<(string Name, IReadOnlyList<(double X, double Y)> Points)> lines)
    {
        (double X, double Y)[] all = [.. lines.SelectMany(line => Finite(line.Points))];
        if (all.Length == 0) throw new ArgumentException("There is no finite point to draw.", nameof(lines));
        double[] xTicks = Ticks(all.Min(p => p.X), all.Max(p => p.X), 8), yTicks = Ticks(all.Min(p => p.Y), all.Max(p => p.Y), 6);
        double X(double x) => Left + (x - xTicks[0]) / (xTicks[^1] - xTicks[0]) * (Width - Left - Right);
        double Y(double y) => YOf(y, yTicks);

        StringBuilder svg = Frame(xName, yName, yTicks);
        foreach (double tick in xTicks) svg.Append(XTick(X(tick), Invariant($"{tick:G6}")));
        for (int i = 0; i < lines.Count; i++)
        {
            string color = s_colors[i % s_colors.Length];
            (double X, double Y)[] points = [.. Finite(lines[i].Points)];
            if (points.Length == 0) continue;
            string path = string.Join(' ', points.Select(p => Invariant($"{X(p.X):F1},{Y(p.Y):F1}")));
            svg.Append(Invariant($"<polyline fill=\"none\" stroke=\"{color}\" stroke-width=\"1.8\" points=\"{path}\"/>"));
            foreach ((double x, double y) in points.Length <= 60 ? points : [points[^1]])
                svg.Append(Invariant($"<circle cx=\"{X(x):F1}\" cy=\"{Y(y):F1}\" r=\"2.4\" fill=\"{color}\"><title>{x:G6}: {y:G5}</title></circle>"));
            if (lines.Count > 1)
                svg.Append(Invariant($"<text class=\"tick\" fill=\"{color}\" style=\"fill:{color}\" x=\"{Width - Right}\" y=\"{Top + 14 * i}\" text-anchor=\"end\">{Text(lines[i].Name)}</text>"));
        }
        return svg.Append("</svg>").ToString();
    }

    /// <param name="xName">What the bars stand for.</param>
    /// <param name="yName">What their height measures, with its unit.</param>
    /// <param name="bars">Each bar's name and height, finite and not negative.</param>
    public static string Bars(string xName, string yName, IReadOnlyList<(string Name, double Value)> bars)
    {
        double[] yTicks = Ticks(0, bars.Max(bar => bar.Value), 6);
        double step = (Width - Left - Right) / bars.Count, foot = YOf(0, yTicks);
        StringBuilder svg = Frame(xName, yName, yTicks);
        for (int i = 0; i < bars.Count; i++)
        {
            (string name, double value) = bars[i];
            double y = YOf(value, yTicks), x = Left + (i + 0.15) * step;
            svg.Append(Invariant($"<rect x=\"{x:F1}\" y=\"{y:F1}\" width=\"{0.7 * step:F1}\" height=\"{foot - y:F1}\" fill=\"{s_colors[0]}\">"));
            svg.Append(Invariant($"<title>{Text(name)}: {value:G5}</title></rect>"));
            svg.Append(XTick(Left + (i + 0.5) * step, name));
        }
        return svg.Append("</svg>").ToString();
    }

    /// <summary>The beginning of a chart: the lines and numbers of the vertical axis, and both names.</summary>
    private static StringBuilder Frame(string xName, string yName, double[] yTicks)
    {
        var svg = new StringBuilder();
        svg.Append(Invariant($"<svg viewBox=\"0 0 {Width} {Height}\" role=\"img\" aria-label=\"{Text(yName)} against {Text(xName)}\">"));
        foreach (double tick in yTicks)
        {
            double y = YOf(tick, yTicks);
            svg.Append(Invariant($"<line class=\"grid\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{y:F1}\" y2=\"{y:F1}\"/>"));
            svg.Append(Invariant($"<text class=\"tick\" x=\"{Left - 6}\" y=\"{y + 4:F1}\" text-anchor=\"end\">{tick:G4}</text>"));
        }
        svg.Append(Invariant($"<text class=\"name\" x=\"{(Left + Width - Right) / 2}\" y=\"{Height - 6}\" text-anchor=\"middle\">{Text(xName)}</text>"));
        svg.Append(Invariant($"<text class=\"name\" transform=\"rotate(-90 14 {Height / 2})\" x=\"14\" y=\"{Height / 2}\" text-anchor=\"middle\">{Text(yName)}</text>"));
        return svg;
    }

    private static string XTick(double x, string text) =>
        Invariant($"<text class=\"tick\" x=\"{x:F1}\" y=\"{Height - Bottom + 16}\" text-anchor=\"middle\">{Text(text)}</text>");

    private static double YOf(double y, double[] ticks) => Height - Bottom - (y - ticks[0]) / (ticks[^1] - ticks[0]) * (Height - Top - Bottom);

    /// <summary>Round numbers, evenly apart, that take in both ends.</summary>
    private static double[] Ticks(double low, double high, int atMost)
    {
        if (high - low < 1e-12 * Math.Max(1, Math.Abs(high))) (low, high) = (low - 0.5, high + 0.5);
        double rough = (high - low) / (atMost - 1), power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        double step = new[] { 1, 2, 2.5, 5, 10 }.Select(f => f * power).First(s => s >= rough * 0.999999);
        long first = (long)Math.Floor(low / step + 1e-9), last = (long)Math.Ceiling(high / step - 1e-9);
        return [.. Enumerable.Range(0, (int)(last - first) + 1).Select(i => (first + i) * step)];
    }

    private static IEnumerable<(double X, double Y)> Finite(IEnumerable<(double X, double Y)> points) =>
        points.Where(p => double.IsFinite(p.X) && double.IsFinite(p.Y));

    private static string Text(string text) => WebUtility.HtmlEncode(text);

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
