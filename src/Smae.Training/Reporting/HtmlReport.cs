using System.Collections;
using System.Globalization;
using System.Net;
using System.Reflection;
using System.Text;
using static System.FormattableString;

namespace Smae.Training;

/// <summary>
/// A report of a run as one HTML page that needs nothing else, no network and no script: settings, curves, pictures, a confusion matrix. Add the parts in
/// the order they are to be read in, then <see cref="Save"/>.
/// </summary>
public sealed class HtmlReport
{
    private readonly StringBuilder _body = new();
    private readonly List<string> _headings = [];
    private readonly string _title;

    /// <summary>An empty report.</summary>
    public HtmlReport(string title)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(title);
        _title = title;
    }

    /// <summary>Adds figures: a table of names and values.</summary>
    public HtmlReport AddFacts(string heading, params IEnumerable<(string Name, string Value)> facts)
    {
        Begin(heading);
        _body.Append("<table class=\"facts\">");
        foreach ((string name, string value) in facts) _body.Append(CultureInfo.InvariantCulture, $"<tr><th>{Text(name)}</th><td>{Text(value)}</td></tr>");
        return End("</table>");
    }

    /// <summary>Adds a table.</summary>
    /// <param name="columns">The head.</param>
    /// <param name="rows">Rows of as many cells; cells of numbers stand to the right.</param>
    /// <exception cref="ArgumentException">A row has another number of cells.</exception>
    public HtmlReport AddTable(string heading, IReadOnlyList<string> columns, IEnumerable<IReadOnlyList<string>> rows)
    {
        ArgumentNullException.ThrowIfNull(columns);
        ArgumentNullException.ThrowIfNull(rows);
        Begin(heading);
        _body.Append("<table class=\"facts\"><tr>").AppendJoin("", columns.Select(name => $"<th>{Text(name)}</th>")).Append("</tr>");
        foreach (IReadOnlyList<string> row in rows)
        {
            if (row.Count != columns.Count) throw new ArgumentException($"A row has {row.Count} cells: expected {columns.Count}, one for each column.", nameof(rows));
            _body.Append("<tr>").AppendJoin("", row.Select(cell => $"<td{(cell.Length > 0 && char.IsAsciiDigit(cell[0]) ? " class=\"number\"" : "")}>{Text(cell)}</td>"))
                .Append("</tr>");
        }
        return End("</table>");
    }

    /// <summary>Adds all public settings of an options object.</summary>
    /// <param name="options">The options, for example <see cref="MaePretrainOptions"/>.</param>
    public HtmlReport AddSettings(string heading, object options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return AddFacts(heading, options.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(p => p.CanWrite && p.PropertyType != typeof(CancellationToken)
                && !(p.PropertyType.IsGenericType && p.PropertyType.GetGenericTypeDefinition() == typeof(IProgress<>)))
            .OrderBy(p => p.Name, StringComparer.Ordinal).Select(p => (p.Name, Show(p.GetValue(options)))));
    }

    /// <summary>
    /// Adds the curves of a run: loss, learning rate, images a second and, where they were measured, accuracy and what <see cref="EpochSummary.HeldOut"/> tells.
    /// </summary>
    public HtmlReport AddHistory(string heading, IReadOnlyList<EpochSummary> history)
    {
        ArgumentNullException.ThrowIfNull(history);
        Begin(heading);
        IReadOnlyList<(double, double)> Points(Func<EpochSummary, double?> of) => [.. history.Select(e => ((double)e.Epoch, of(e) ?? double.NaN))];
        bool validated = history.Any(e => e.Validation is not null);
        if (validated)
        {
            Chart("accuracy in %", ("top-1", Points(e => e.Validation?.Top1 * 100)), ("top-5", Points(e => e.Validation?.Top5 * 100)));
            Chart("loss", ("training", Points(e => e.Loss)), ("validation", Points(e => e.Validation?.Loss)));
        }
        else Chart("loss", ("training", Points(e => e.Loss)));
        Beside("RankMe, held out", e => e.RankMe);
        Beside("own crop nearest in %, held out", e => e.OwnCrop * 100);
        Beside("reconstruction error, held out", e => e.Reconstruction);
        Chart("learning rate", ("learning rate", Points(e => e.LearningRate)));
        Chart("images a second", ("images a second", Points(e => e.ImagesPerSecond)));
        return End("");

        void Beside(string name, Func<LabelFreeEvaluation, double?> of) =>
            Chart(name, ("trained", Points(e => e.HeldOut is { } own ? of(own) : null)),
                ("random weights", Points(e => e.HeldOut?.RandomWeights is { } random ? of(random) : null)));

        void Chart(string yName, params (string, IReadOnlyList<(double, double)>)[] lines)
        {
            if (lines.SelectMany(l => l.Item2).Any(p => double.IsFinite(p.Item2)))
                _body.Append(CultureInfo.InvariantCulture, $"<figure>{SvgChart.Lines("epoch", yName, lines)}</figure>");
        }
    }

    /// <summary>
    /// Adds how much each fused block counts in an encoder's output (<see cref="VisionTransformer.FusionWeights"/>, MFF): a bar for each, beside the
    /// share that all of them began with. Nothing is added for an encoder without <see cref="VisionTransformerConfig.Fusion"/>.
    /// </summary>
    /// <param name="encoder">The encoder, for example <c>result.Model.Encoder</c>.</param>
    public HtmlReport AddFusionWeights(string heading, VisionTransformer encoder)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        if (encoder.Config.Fusion is not { } blocks) return this;
        Begin(heading);
        IReadOnlyList<float> weights = encoder.FusionWeights;
        _body.Append(CultureInfo.InvariantCulture,
            $"<figure>{SvgChart.Bars("block, counted from 0", "weight", [.. blocks.Select((block, i) => ($"{block}", (double)weights[i]))])}");
        return End(string.Create(CultureInfo.InvariantCulture, $"<figcaption>All began with {1.0 / blocks.Count:F3}.</figcaption></figure>"));
    }

    /// <summary>Adds a picture.</summary>
    /// <param name="picture">
    /// Width and height in pixels, and rows from the top of four bytes a pixel: what <see cref="ReconstructionGrid.Draw"/> and its like give.
    /// </param>
    /// <param name="caption">What stands below; null is nothing.</param>
    /// <exception cref="ArgumentException">The number of bytes is not that of the picture.</exception>
    public HtmlReport AddPicture(string heading, (int Width, int Height, byte[] Rgba) picture, string? caption = null)
    {
        string png = Convert.ToBase64String(PngWriter.Encode(picture.Width, picture.Height, picture.Rgba));
        Begin(heading);
        _body.Append(CultureInfo.InvariantCulture,
            $"<figure><img width=\"{picture.Width}\" height=\"{picture.Height}\" alt=\"{Text(caption ?? heading)}\" src=\"data:image/png;base64,{png}\">");
        if (caption is not null) _body.Append(CultureInfo.InvariantCulture, $"<figcaption>{Text(caption)}</figcaption>");
        return End("</figure>");
    }

    /// <summary>Adds a confusion matrix, with the share of each class that was found, and the pairs that were confused most.</summary>
    /// <param name="counts">How many images of each true class (row) were taken for each class (column): ML.NET's <c>ConfusionMatrix.Counts</c> is one.</param>
    /// <param name="classNames">Names of the classes; null numbers them.</param>
    /// <exception cref="ArgumentException">The matrix is not square, or there are not as many names.</exception>
    public HtmlReport AddConfusionMatrix(string heading, IReadOnlyList<IReadOnlyList<double>> counts, IReadOnlyList<string>? classNames = null)
    {
        ArgumentNullException.ThrowIfNull(counts);
        int classes = counts.Count;
        if (counts.Any(row => row.Count != classes)) throw new ArgumentException("The confusion matrix is not square.", nameof(counts));
        if (classNames is not null && classNames.Count != classes)
            throw new ArgumentException($"There are {classNames.Count} names for {classes} classes.", nameof(classNames));
        string Name(int i) => classNames is null ? $"{i}" : classNames[i];

        Begin(heading);
        _body.Append("<div class=\"wide\"><table class=\"confusion\"><tr><th>true \\ predicted</th>");
        for (int column = 0; column < classes; column++) _body.Append(CultureInfo.InvariantCulture, $"<th class=\"column\"><span>{Text(Name(column))}</span></th>");
        _body.Append("<th>found</th></tr>");
        for (int row = 0; row < classes; row++)
        {
            double total = counts[row].Sum();
            _body.Append(CultureInfo.InvariantCulture, $"<tr><th>{Text(Name(row))}</th>");
            for (int column = 0; column < classes; column++)
            {
                double share = total > 0 ? counts[row][column] / total : 0;
                string color = row == column ? "58,143,92" : "209,96,61", count = counts[row][column] == 0 ? "" : Invariant($"{counts[row][column]:G6}");
                _body.Append(Invariant($"<td style=\"background:rgba({color},{share:F2})\">{count}</td>"));
            }
            _body.Append(Invariant($"<td>{(total > 0 ? counts[row][row] / total : 0):P0}</td></tr>"));
        }
        _body.Append("</table></div>");
        var confused =
            from row in Enumerable.Range(0, classes)
            from column in Enumerable.Range(0, classes)
            where row != column && counts[row][column] > 0
            orderby counts[row][column] descending
            select $"{Name(row)} taken for " + Invariant($"{Name(column)}: {counts[row][column]}");
        return End($"<p>Confused most: {Text(string.Join("; ", confused.Take(5).DefaultIfEmpty("nothing")))}.</p>");
    }

    /// <summary>Writes the page, safely: a reader sees the old file or the whole new one.</summary>
    /// <param name="path">The file, for example <c>report.html</c>.</param>
    /// <exception cref="IOException">The file cannot be written; one that was there before is untouched.</exception>
    public void Save(string path) => AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(ToString())));

    /// <summary>The whole page.</summary>
    public override string ToString()
    {
        string contents = string.Concat(_headings.Select((h, i) => $"<a href=\"#part{i + 1}\">{Text(h)}</a>"));
        return $"<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>{Text(_title)}</title>"
            + $"<style>{Style}</style></head><body><h1>{Text(_title)}</h1><nav>{contents}</nav>{_body}</body></html>\n";
    }

    private const string Style = """
        body{font:15px/1.5 system-ui,sans-serif;color:#222;background:#fff;max-width:68rem;margin:2rem auto;padding:0 1rem}
        h1{font-size:1.6rem}h2{font-size:1.15rem;border-bottom:1px solid #ddd;padding-bottom:.2rem;margin-top:2rem}
        nav a{margin-right:1rem}a{color:#1f6fb4}section{overflow-x:auto}figure{display:inline-block;margin:.5rem 1rem .5rem 0;max-width:100%;vertical-align:top}
        figcaption{color:#555;max-width:40rem}img{max-width:100%;height:auto;image-rendering:pixelated}svg{width:31rem;max-width:100%}
        svg .grid{stroke:#e4e4e4}svg .tick{font-size:11px;fill:#555}svg .name{font-size:12px;fill:#222}
        table{border-collapse:collapse}th,td{padding:.15rem .5rem;text-align:left;vertical-align:top}
        .facts th{font-weight:600;white-space:nowrap}.number{text-align:right}
        .facts tr:nth-child(odd){background:#f6f6f6}.confusion{font-size:12px}.confusion td{text-align:right;border:1px solid #eee;min-width:1.4rem}
        .confusion th{font-weight:500;white-space:nowrap}.confusion .column{height:7rem;vertical-align:bottom;padding:0}
        .confusion .column span{writing-mode:vertical-rl;transform:rotate(180deg)}
        """;

    private static string Show(object? value) => value switch
    {
        null => "none",
        string text => text,
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        IEnumerable list => string.Join(", ", list.Cast<object?>().Select(Show)),
        _ => ValueText.Invariant(value.ToString) ?? "",
    };

    private void Begin(string heading)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(heading);
        _headings.Add(heading);
        _body.Append(CultureInfo.InvariantCulture, $"<section id=\"part{_headings.Count}\"><h2>{Text(heading)}</h2>");
    }

    private HtmlReport End(string markup)
    {
        _body.Append(markup).Append("</section>\n");
        return this;
    }

    internal static string Text(string text) => WebUtility.HtmlEncode(text);
}

/// <summary>Draws curves and bars as SVG, to be put into a page.</summary>
internal static class SvgChart
{
    private const double Width = 640, Height = 280, Left = 64, Right = 16, Top = 16, Bottom = 40;
    private static readonly string[] s_colors = ["#1f6fb4", "#d1603d", "#3a8f5c", "#7a5aa6", "#8c6d31", "#4d4d4d"];

    /// <summary>Curves; points that are not finite are left out. One at least must be.</summary>
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
                svg.Append(Invariant($"<text class=\"tick\" fill=\"{color}\" style=\"fill:{color}\" x=\"{Width - Right}\" y=\"{Top + 14 * i}\" "))
                    .Append(Invariant($"text-anchor=\"end\">{Text(lines[i].Name)}</text>"));
        }
        return svg.Append("</svg>").ToString();
    }

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

    /// <summary>The vertical axis and both names.</summary>
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

    private static string Text(string text) => HtmlReport.Text(text);
}
