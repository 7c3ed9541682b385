using System.Net;
using System.Text;

namespace ImageSearch;

/// <summary>Results as an HTML page that shows the image files themselves.</summary>
internal static class ResultPage
{
    private const string Head = """
        <!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Image search</title><style>
        body { font: 14px/1.4 sans-serif; margin: 2rem } section { display: flex; flex-wrap: wrap; gap: .6rem; margin-bottom: 2rem }
        figure { margin: 0; width: 10rem } img { width: 10rem; height: 10rem; object-fit: cover } .asked img { outline: 3px solid #1f6fb4 }
        figcaption { overflow-wrap: anywhere; color: #555; font-size: 12px }</style></head><body><h1>Image search</h1>

        """;

    public static void Save(FileInfo page, IReadOnlyList<(string Asked, IReadOnlyList<Neighbor> Found)> results)
    {
        page.Directory!.Create();
        string Figure(string path, string caption, string kind)
        {
            string relative = Path.GetRelativePath(page.Directory.FullName, path).Replace(Path.DirectorySeparatorChar, '/');
            string link = WebUtility.HtmlEncode(string.Join('/', relative.Split('/').Select(Uri.EscapeDataString)));
            return $"<figure class=\"{kind}\"><a href=\"{link}\"><img src=\"{link}\" alt=\"\" loading=\"lazy\"></a>"
                + $"<figcaption>{WebUtility.HtmlEncode(caption)}</figcaption></figure>\n";
        }
        var html = new StringBuilder(Head);
        foreach ((string asked, IReadOnlyList<Neighbor> found) in results)
        {
            html.Append("<section>\n").Append(Figure(asked, Path.GetFileName(asked), "asked"));
            foreach (Neighbor neighbor in found)
                html.Append(Figure(neighbor.Path, $"{neighbor.Similarity:F3} {Path.GetFileName(neighbor.Path)}", "found"));
            html.Append("</section>\n");
        }
        html.Append("</body></html>\n");
        string temporary = page.FullName + ".tmp";
        File.WriteAllText(temporary, html.ToString());
        File.Move(temporary, page.FullName, overwrite: true);
    }
}
