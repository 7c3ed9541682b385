using ImageSearch;
using Smae.Training;

namespace Examples.Tests;

/// <summary>The program of <c>examples/ImageSearch</c> on drawn images.</summary>
[TestClass]
public sealed class ImageSearchTests
{
    [TestMethod]
    public void AFolderIsEmbeddedOnceAndAnImagesCopyIsItsNearestNeighbour()
    {
        using DrawnFolder folder = new DrawnFolder().Draw("images", classes: 3, perClass: 4);
        File.WriteAllText(folder["images", "class0", "broken.png"], "no picture");
        string encoder = folder["encoder.safetensors"], index = folder["index"], page = folder["pages", "found it.html"];
        using (var random = ImageEncoder.Create(
            VisionTransformerConfig.VitTiny16.ForImages(16, patchSize: 8) with { EmbedDim = 20, Depth = 1, NumHeads = 2 }))
            random.Save(encoder);
        (int exit, string output) = ExampleProgram.Run<EmbeddedImages>("index", "--images", folder["images"], "--encoder", encoder, "--index", index);
        Assert.AreEqual(0, exit, output);
        StringAssert.Contains(output, "12 images, 20 numbers each");
        StringAssert.Contains(output, "broken.png");

        File.Delete(encoder);   // the index has its own
        string copy = folder["copy & more.png"], original = folder["images", "class1", "2.png"];
        File.Copy(original, copy);
        (exit, output) = ExampleProgram.Run<EmbeddedImages>("query", copy, original, "--index", index, "--count", "3", "--out", page);
        Assert.AreEqual(0, exit, output);
        string[] lines = output.Split('\n', StringSplitOptions.TrimEntries);
        Assert.AreEqual($"1.000  {original}", lines[1]);
        Assert.AreEqual(original, lines[4], "three were found");
        Assert.IsFalse(lines[5..8].Any(line => line.EndsWith(original)), "an image is not found for itself");
        string html = File.ReadAllText(page);
        StringAssert.Contains(html, "src=\"../copy%20%26%20more.png\"");
        StringAssert.Contains(html, "src=\"../images/class1/2.png\"");
    }

    [TestMethod]
    [Timeout(60_000)]
    public void APipeIsLeftOutAndALinkBackToTheFolderAddsNothing()
    {
        using DrawnFolder folder = new DrawnFolder().Draw("images", classes: 2, perClass: 2);
        folder.AddPipeAndLinks("images");
        using (var random = ImageEncoder.Create(VisionTransformerConfig.VitTiny16.ForImages(16, patchSize: 8) with { EmbedDim = 20, Depth = 1, NumHeads = 2 }))
            random.Save(folder["encoder.safetensors"]);
        (int exit, string output) = ExampleProgram.Run<EmbeddedImages>("index", "--images", folder["images"], "--encoder", folder["encoder.safetensors"], "--index", folder["index"]);
        Assert.AreEqual(0, exit, output);
        StringAssert.Contains(output, "4 images, 20 numbers each");
        foreach (string name in (string[])["pipe.png", "to pipe.png", "to nothing.png"]) StringAssert.Contains(output, $"{folder["images", name]} is left out");
        Assert.HasCount(3, Directory.GetFiles(folder["index"]));
    }

    [TestMethod]
    public void AMissingOrDamagedIndexIsAnErrorThatNamesIt()
    {
        using DrawnFolder folder = new DrawnFolder().Draw("images", classes: 1, perClass: 1);
        string image = folder["images", "class0", "0.png"];
        (int exit, string output) = ExampleProgram.Run<EmbeddedImages>("query", image, "--index", folder["none"]);
        Assert.AreEqual(1, exit);
        StringAssert.Contains(output, folder["none"]);
        Directory.CreateDirectory(folder["torn"]);
        File.WriteAllText(folder["torn", "embeddings.bin"], "x");
        (exit, output) = ExampleProgram.Run<EmbeddedImages>("query", image, "--index", folder["torn"]);
        Assert.AreEqual(1, exit);
        StringAssert.Contains(output, "embeddings.bin");
    }
}
