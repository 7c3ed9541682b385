using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Smae.Training.Tests;

[TestClass]
public sealed partial class HtmlReportTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("smae-report-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [TestMethod]
    public void APageHoldsAllThatWasAddedAndNeedsNothingElse()
    {
        EpochSummary[] history =
        [
            new(1, 0.9, 1e-3, 100) { Validation = new Evaluation(10, 2, 0.25, 0.5) }, new(2, 0.5, 5e-4, 120) { Validation = new Evaluation(10, 1, 0.75, 1) },
        ];
        string path = Path.Combine(_folder, "report.html");
        new HtmlReport("Cats & <dogs>").AddSettings("Settings", TinyModels.Options).AddHistory("Fine-tuning", history)
            .AddPicture("Picture", (2, 1, [255, 0, 0, 255, 0, 0, 255, 255]), "red, blue")
            .AddConfusionMatrix("Confusion", [[3, 1], [0, 4]], ["cat", "dog"]).AddFacts("Speed", ("images a second", "12")).Save(path);
        string page = File.ReadAllText(path);

        StringAssert.Contains(page, "<h1>Cats &amp; &lt;dogs&gt;</h1>");
        StringAssert.Contains(page, "<th>BatchSize</th>");
        StringAssert.Contains(page, "cat taken for dog: 1");
        StringAssert.Contains(page, "75 %");                                                    // of the cats were found
        foreach (string heading in (string[])["Settings", "Fine-tuning", "Picture", "Confusion", "Speed"])
            Assert.HasCount(2, Regex.Matches(page, $">{heading}<"), heading);                    // its section, and the link to it
        Assert.HasCount(4, Regex.Matches(page, "<svg "));                                       // accuracy, loss, learning rate, speed
        Assert.IsFalse(Outside().IsMatch(page), "The page asks for something from outside.");
        StringAssert.Contains(page, "data:image/png;base64,");
    }

    [TestMethod]
    public void ATableHasItsCellsInPlace()
    {
        string page = new HtmlReport("Methods").AddTable("Table", ["method", "top-1"], [["a & b", "12.5 ± 0.3"], ["c", ""]]).ToString();
        StringAssert.Contains(page, "<tr><th>method</th><th>top-1</th></tr>"
            + "<tr><td>a &amp; b</td><td class=\"number\">12.5 \u00b1 0.3</td></tr><tr><td>c</td><td></td></tr>"
            .Replace("\u00b1", System.Net.WebUtility.HtmlEncode("\u00b1")));
        ArgumentException e = Assert.ThrowsExactly<ArgumentException>(() => new HtmlReport("Methods").AddTable("Table", ["method"], [["a", "b"]]));
        StringAssert.Contains(e.Message, "2 cells: expected 1");
    }

    [TestMethod]
    public void FusedBlocksAreBarsAsHighAsTheyCount()
    {
        using ImageStore images = TinyModels.Images(16);
        VisionTransformerConfig fused = TinyModels.Encoder with { Depth = 3, Fusion = [0, 2] };
        MaePretrainResult result = MaePretraining.Run(images, TinyModels.Options with { Encoder = fused, LearningRate = 0.1, WarmupEpochs = 0 });
        using MaskedAutoencoder model = result.Model;
        string page = new HtmlReport("MFF").AddFusionWeights("Fused blocks", model.Encoder).ToString();
        XElement[] bars = [.. XElement.Parse(page[page.IndexOf("<svg", StringComparison.Ordinal)..(page.IndexOf("</svg>", StringComparison.Ordinal) + 6)])
            .Elements("rect")];
        double[] heights = [.. bars.Select(bar => double.Parse(bar.Attribute("height")!.Value))];
        float[] weights = [.. model.Encoder.FusionWeights];
        Assert.HasCount(2, bars);
        Assert.AreNotEqual(weights[0], weights[1], 0.01f);
        Assert.AreEqual(weights[0] / weights[1], heights[0] / heights[1], 0.01);
        StringAssert.StartsWith(bars[1].Value, "2: 0.");                                        // block 2, and its weight
        StringAssert.Contains(page, "All began with 0.500.");

        using var plain = new VisionTransformer(TinyModels.Encoder);
        Assert.IsFalse(new HtmlReport("MAE").AddFusionWeights("Fused blocks", plain).ToString().Contains("Fused blocks"));
    }

    [TestMethod]
    public void CurvesGoThroughTheirPointsAndAreValidXml()
    {
        XElement svg = XElement.Parse(SvgChart.Lines("epoch", "loss & more", ("a", [(0, 0), (5, 1), (10, double.NaN), (10, 4)]), ("b", [(0, 2), (10, 2)])));
        double[][] lines = [.. svg.Elements("polyline").Select(l => l.Attribute("points")!.Value.Split(' ', ',').Select(double.Parse).ToArray())];
        Assert.HasCount(2, lines);
        Assert.HasCount(6, lines[0]);                                                           // the point that is no number is left out
        Assert.AreEqual((lines[0][0] + lines[0][4]) / 2, lines[0][2], 0.11);                    // 5 is halfway between 0 and 10
        Assert.AreEqual(lines[0][1] + (lines[0][5] - lines[0][1]) / 4, lines[0][3], 0.11);      // 1 a quarter of the way up to 4
        Assert.AreEqual(lines[1][1], lines[1][3]);
        Assert.IsLessThan(lines[0][1], lines[0][5]);                                            // more is higher up
    }

    [TestMethod]
    public void ALineThatIsFlatIsDrawn() => XElement.Parse(SvgChart.Lines("x", "y", ("one", [(1, 3)])));

    [TestMethod]
    public void AMatrixThatIsNotSquareIsRefused()
    {
        var report = new HtmlReport("report");
        Assert.ThrowsExactly<ArgumentException>(() => report.AddConfusionMatrix("Confusion", [[1, 2]]));
        Assert.ThrowsExactly<ArgumentException>(() => report.AddConfusionMatrix("Confusion", [[1]], ["cat", "dog"]));
    }

    [TestMethod]
    public void NeighboursAreTheMostSimilarImagesAndNeverTheImageItself()
    {
        using ImageStore images = TinyModels.Images(4);
        images.Add(images[1].ToArray());                                                        // a twin of image 1
        using var encoder = ImageEncoder.Create(TinyModels.Encoder);
        (int width, int height, byte[] rgba) = NeighborGrid.Draw(encoder, images, [1, 4], neighbors: 2, scale: 1);
        int side = TinyModels.Encoder.ImageWidth + 4;
        Assert.AreEqual((3 * side + 4, 2 * side + 4), (width, height));
        for (int row = 0; row < 2; row++)
        for (int x = 0; x < side - 4; x++)
        {
            int first = ((row * side + 4) * width + 4 + x) * 4, second = first + side * 4;
            CollectionAssert.AreEqual(rgba[first..(first + 4)], rgba[second..(second + 4)], "The nearest of an image is its twin.");
        }
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => NeighborGrid.Draw(encoder, images, [5]));
    }

    [GeneratedRegex("(src|href)=\"(?!data:|#)|@import|url\\(")]
    private static partial Regex Outside();
}
