using System.Globalization;
using System.Net;
using System.Text;
using Smae.Training;

namespace FewLabels;

/// <summary>What a share of the labels gave: shares of the test images that are recognised.</summary>
internal sealed record Comparison(double Percent, int Images, double Pretrained, double FromScratch);

/// <summary>The comparison as a table, a plot and a page of both.</summary>
internal sealed class ComparisonReport(string dataSet, IReadOnlyList<Comparison> comparisons)
{
    private const double Width = 560, Height = 320, Left = 56, Right = 20, Top = 28, Bottom = 48;

    private static readonly (string Name, string Color, Func<Comparison, double> Of)[] s_lines =
        [("pretrained", "#1f6fb4", c => c.Pretrained), ("from scratch", "#d1603d", c => c.FromScratch)];

    public string Table =>
        "| labels | images | pretrained | from scratch |\n|---|---|---|---|\n" + string.Concat(comparisons.Select(c =>
            Invariant($"| {c.Percent}% | {c.Images} | {c.Pretrained * 100:F1}% | {c.FromScratch * 100:F1}% |\n")));

    /// <summary>Accuracy against the share of the labels, which is on a logarithmic scale.</summary>
    public string Plot
    {
        get
        {
            var svg = new StringBuilder();
            svg.Append(Invariant($"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {Height}\" width=\"{Width}\" "));
            svg.Append("font-family=\"sans-serif\" font-size=\"12\" role=\"img\" aria-label=\"accuracy against labels\">\n");
            svg.Append("<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n");
            double top = Math.Max(0.1, Math.Ceiling(comparisons.Max(c => Math.Max(c.Pretrained, c.FromScratch)) * 10) / 10);
            double first = Math.Log(comparisons[0].Percent), range = Math.Log(comparisons[^1].Percent) - first;
            double X(double percent) => Left + (range > 0 ? (Math.Log(percent) - first) / range : 0.5) * (Width - Left - Right);
            double Y(double accuracy) => Height - Bottom - accuracy / top * (Height - Top - Bottom);
            for (int tick = 0; tick <= 5; tick++)
            {
                double accuracy = top * tick / 5, y = Y(accuracy);
                svg.Append(Invariant($"<line x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{y:F1}\" y2=\"{y:F1}\" stroke=\"#e4e4e4\"/>"));
                svg.Append(Invariant($"<text x=\"{Left - 8}\" y=\"{y + 4:F1}\" text-anchor=\"end\">{accuracy * 100:F0}%</text>\n"));
            }
            foreach (Comparison c in comparisons)
                svg.Append(Invariant($"<text x=\"{X(c.Percent):F1}\" y=\"{Height - Bottom + 18}\" text-anchor=\"middle\">{c.Percent}%</text>\n"));
            svg.Append(Invariant($"<text x=\"{(Left + Width - Right) / 2}\" y=\"{Height - 8}\" text-anchor=\"middle\">labels used</text>\n"));
            for (int i = 0; i < s_lines.Length; i++)
            {
                (string name, string color, Func<Comparison, double> of) = s_lines[i];
                string points = string.Join(' ', comparisons.Select(c => Invariant($"{X(c.Percent):F1},{Y(of(c)):F1}")));
                svg.Append($"<polyline fill=\"none\" stroke=\"{color}\" stroke-width=\"2\" points=\"{points}\"/>");
                foreach (Comparison c in comparisons)
                    svg.Append(Invariant($"<circle cx=\"{X(c.Percent):F1}\" cy=\"{Y(of(c)):F1}\" r=\"3.5\" fill=\"{color}\"/>"));
                svg.Append(Invariant($"<text x=\"{Left + 8 + 100 * i}\" y=\"16\" fill=\"{color}\">{name}</text>\n"));
            }
            return svg.Append("</svg>\n").ToString();
        }
    }

    public void Save(string table, string plot, string page)
    {
        Write(table, Table);
        Write(plot, Plot);
        string title = WebUtility.HtmlEncode($"Few labels on {dataSet}");
        string rows = string.Concat(comparisons.Select(c => Invariant(
            $"<tr><td>{c.Percent}%</td><td>{c.Images}</td><td>{c.Pretrained * 100:F1}%</td><td>{c.FromScratch * 100:F1}%</td></tr>\n")));
        Write(page, $$"""
            <!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{{title}}</title>
            <style>body { font: 15px/1.5 sans-serif; margin: 2rem auto; max-width: 42rem } td, th { padding: .1rem 1rem; text-align: right }</style>
            </head><body><h1>{{title}}</h1>
            <p>Share of the test images that are recognised, after as many steps of fine-tuning from pretrained weights and from random ones.</p>
            {{Plot}}<table><tr><th>labels</th><th>images</th><th>pretrained</th><th>from scratch</th></tr>
            {{rows}}</table></body></html>

            """);
    }

    private static void Write(string path, string text) => AtomicFile.Write(path, file => file.Write(Encoding.UTF8.GetBytes(text)));

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
