using System.Globalization;
using System.Xml.Linq;
using FewLabels;
using Smae.Training;

namespace Examples.Tests;

/// <summary>The program of <c>examples/FewLabels</c> on drawn images.</summary>
[TestClass]
public sealed class FewLabelsTests
{
    [TestMethod]
    public void EachShareOfTheLabelsIsARowAndAPointOfEachLine()
    {
        using DrawnFolder folder = new DrawnFolder().Draw("data/train", classes: 3, perClass: 10).Draw("data/val", classes: 3, perClass: 4);
        // The shape of an encoder that is pretrained already: it is taken, and nothing is pretrained.
        using (var encoder = ImageEncoder.Create(
            VisionTransformerConfig.VitTiny16.ForImages(16, patchSize: 8) with { EmbedDim = 32, Depth = 2, NumHeads = 2 }))
            encoder.Save(folder["encoder.safetensors"]);
        (int exit, string output) = ExampleProgram.Run<FewLabelsSettings>(
            "--data", folder["data"], "--encoder", folder["encoder.safetensors"], "--out", folder["out"],
            "--percent", "100", "1", "40", "--steps", "16");
        Assert.AreEqual(0, exit, output);
        Assert.IsFalse(output.Contains("Pretraining"), output);

        string[][] rows =
            [.. File.ReadAllLines(folder["out", "table.md"]).Skip(2).Select(line => line.Split('|')[1..^1].Select(cell => cell.Trim()).ToArray())];
        string[] labels = [.. rows.Select(r => $"{r[0]} {r[1]}")];
        CollectionAssert.AreEqual((string[])["1% 3", "40% 12", "100% 30"], labels, "the same share of every class, at least one image");
        double Accuracy(string cell) => double.Parse(cell.TrimEnd('%'), CultureInfo.InvariantCulture);
        Assert.IsGreaterThan(60, Accuracy(rows[^1][2]), "classes that differ this much are learned from all labels");
        Assert.IsTrue(rows.All(r => Accuracy(r[3]) is >= 0 and <= 100));

        XElement plot = XElement.Load(folder["out", "plot.svg"]);
        Assert.HasCount(2, plot.Elements().Where(e => e.Name.LocalName == "polyline").ToArray());
        Assert.HasCount(6, plot.Elements().Where(e => e.Name.LocalName == "circle").ToArray());
        StringAssert.Contains(File.ReadAllText(folder["out", "report.html"]), "<td>40%</td><td>12</td>");
    }

    [TestMethod]
    public void WithoutAnEncoderOneIsPretrainedFirst()
    {
        using DrawnFolder folder = new DrawnFolder().Draw("data", classes: 2, perClass: 8);
        (int exit, string output) = ExampleProgram.Run<FewLabelsSettings>(
            "--data", folder["data"], "--out", folder["out"], "--percent", "50", "--steps", "1", "--epochs", "1", "--image-size", "16");
        Assert.AreEqual(0, exit, output);
        StringAssert.Contains(output, "Pretraining without labels");
        Assert.IsTrue(File.Exists(folder["out", "encoder.safetensors"]));
        Assert.AreEqual(1, ExampleProgram.Run<FewLabelsSettings>("--data", folder["data", "class0"], "--out", folder["out"]).Exit, "one class only");
    }
}
