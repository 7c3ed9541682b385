using System.Globalization;
using System.Text.RegularExpressions;
using PretrainOnYourPhotos;

namespace Examples.Tests;

/// <summary>The examples as two processes of an mpirun: what the first says and writes is all there is.</summary>
[TestClass]
public sealed class MpiTests : IDisposable
{
    private readonly DrawnFolder _folder = new DrawnFolder().Draw("images", classes: 2, perClass: 20);

    public void Dispose() => _folder.Dispose();

    [TestMethod]
    public void PhotosAreLearnedAsByOneProcessAndImagesThatCannotBeReadAreNamedOnce()
    {
        File.WriteAllText(_folder["images", "broken.png"], "no picture");
        byte[] large = new byte[64];   // a BMP file's header, of 20000x20000 pixels
        (int At, int Number)[] header = [(0, 0x4D42), (10, 54), (14, 40), (18, 20_000), (22, 20_000), (26, 24 << 16 | 1)];
        foreach ((int at, int number) in header) BitConverter.TryWriteBytes(large.AsSpan(at), number);
        File.WriteAllBytes(_folder["images", "large.bmp"], large);
        string[] command = ["--photos", _folder["images"], "--image-size", "16", "--epochs", "3", "--out"];
        string together = Finish("PretrainOnYourPhotos", [.. command, _folder["two"]]);
        IsSaidOnce(together, "by 2 ranks on", "epoch 3/3", "report.html");
        StringAssert.Contains(together, "large.bmp: too large: 20000x20000");
        (int exit, string alone) = ExampleProgram.Run<PretrainSettings>([.. command, _folder["one"]]);
        Assert.AreEqual(0, exit, alone);
        foreach (string name in (string[])["broken.png", "large.bmp"]) Assert.AreEqual(Regex.Count(alone, name), Regex.Count(together, name), name);
        double Loss(string run) => double.Parse(File.ReadAllLines(_folder[run, "progress.csv"])[^1].Split(',')[3], CultureInfo.InvariantCulture);
        Assert.AreEqual(Loss("one"), Loss("two"), 0.01 * Loss("one"));   // bfloat16 rounds
    }

    [TestMethod]
    public void EachRankMayHaveAShardOfThePhotosWhereThatIsSaid()
    {
        _folder.Draw("more", classes: 3, perClass: 7);
        string[] Command(string photos, params string[] more) => ["--photos", _folder[photos], "--out", _folder["out"], "--image-size", "16", "--epochs", "3", .. more];
        (int exit, string output) = BuiltProgram.RunTwoRanks("PretrainOnYourPhotos", Command("images"), Command("more"));
        Assert.AreEqual(1, exit, output);
        StringAssert.Contains(output, "DataParallel.Sharded");
        File.WriteAllText(_folder["more", "broken.png"], "no picture");
        (exit, output) = BuiltProgram.RunTwoRanks("PretrainOnYourPhotos", Command("images", "--shards"), Command("more", "--shards"));
        Assert.AreEqual(0, exit, output);
        IsSaidOnce(output, "55 images in 2 shards (37, 18), of which each epoch leaves out 23", "epoch 3/3", "/more/broken.png", "1 of 62 images are broken");
    }

    [TestMethod]
    public void TheQuickstartWritesItsResultsOnce()
    {
        IsSaidOnce(
            Finish("Quickstart", "--data", _folder["images"], "--out", _folder["out"], "--epochs", "1", "--fine-tune-epochs", "1", "--image-size", "16"),
            "images to pretrain on", "linear probe", "report.html, metrics.json");
        Assert.IsTrue(File.Exists(_folder["out", "app", "encoder.zip"]));
    }

    [TestMethod]
    public void ProductsAreTestedOnce()
    {
        IEnumerable<string> rows = Enumerable.Range(0, 40).Select(i => $"kind {i % 2} number {i}\timages/class{i % 2}/{i / 2}.png\tkind{i % 2}");
        File.WriteAllLines(_folder["products.tsv"], ["title\tpicture\tcategory", .. rows]);
        IsSaidOnce(Finish("TextAndImages", "--products", _folder["products.tsv"], "--image-epochs", "1"), "products to test on", "by both");
    }

    [TestMethod]
    public void AnExperimentIsWrittenOnceGoesOnTogetherAndIsRefusedTogether()
    {
        string[] command = ["--images", _folder["images"], "--out", _folder["out"], "--scale", "smoke", "--methods"];
        IsSaidOnce(Finish("Reproduction", [.. command, "smae-random"]), "seed 1, critic", "seed 1, smae-random, pretraining", "table.md");
        string more = Finish("Reproduction", [.. command, "smae-random", "mae-random", "--resume"]);
        IsSaidOnce(more, "mae-random, pretraining: epoch 2/2", "table.md");
        Assert.IsFalse(more.Contains("critic") || more.Contains("seed 1, smae-random"), more);
        (int exit, string refused) = BuiltProgram.RunTwoRanks("Reproduction", [.. command, "mae-random"]);
        Assert.AreEqual(1, exit, refused);
        StringAssert.Contains(refused, "error: rank 0 (");
        Assert.IsFalse(refused.Contains("   at "), refused);   // no stack trace
    }

    private static string Finish(string name, params string[] arguments)
    {
        (int exit, string output) = BuiltProgram.RunTwoRanks(name, arguments);
        Assert.AreEqual(0, exit, output);
        return output;
    }

    private static void IsSaidOnce(string output, params string[] texts)
    {
        foreach (string text in texts) Assert.AreEqual(1, Regex.Count(output, Regex.Escape(text)), $"'{text}' is not there once: {output}");
    }
}
