using System.Reflection;
using SkiaSharp;
using Smae.Export;

namespace Docs.Tests;

/// <summary>The C# of the README and of every page in <c>docs</c>, in the order it stands there. Only the number of epochs is another: one.</summary>
[TestClass]
public sealed class PageTests
{
    [TestMethod]
    public void ReadmePretrainsClassifiesAndExports()
    {
        Run(Pages.Readme.Page.Run, "encoder.safetensors", "encoder.onnx");
    }

    [TestMethod]
    public void PretrainWritesEncoderOnnxFileAndReport()
    {
        Run(Pages.Pretrain.Page.Run, "encoder.safetensors", "encoder.onnx", "runs/photos/progress.csv", "runs/photos/report.html");
    }

    /// <summary>The pictures in <c>docs/images</c> are what the page's code makes. SMAE_DOC_IMAGES=write puts new ones there.</summary>
    [TestMethod]
    public void PreprocessingMakesThePicturesThatThePageShows() => Run(Pages.Preprocessing.Page.Run, () =>
    {
        string shown = Path.Combine(Repository.Folder, "docs", "images");
        string[] made = [.. Directory.GetFiles("images").Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];
        if (Environment.GetEnvironmentVariable("SMAE_DOC_IMAGES") == "write")
            foreach (string name in made) File.Copy(Path.Combine("images", name), Path.Combine(Directory.CreateDirectory(shown).FullName, name), overwrite: true);
        CollectionAssert.AreEqual(made, Directory.GetFiles(shown).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal).ToArray());
        HashSet<string> different = [];
        foreach (string name in made)
        {
            using SKBitmap expected = SKBitmap.Decode(Path.Combine(shown, name)), found = SKBitmap.Decode(Path.Combine("images", name));
            Assert.AreEqual((expected.Width, expected.Height), (found.Width, found.Height), name);
            // The JPEG may be decoded a step otherwise elsewhere.
            int largest = expected.Pixels.Zip(found.Pixels)
                .Max(p => new[] { p.First.Red - p.Second.Red, p.First.Green - p.Second.Green, p.First.Blue - p.Second.Blue }.Max(Math.Abs));
            Assert.IsLessThanOrEqualTo(2, largest, $"{name}: docs/images holds another picture than the page's code makes");
            Assert.IsTrue(different.Add(Convert.ToHexString(found.Bytes)), $"{name} is the picture of another choice");
        }
        Assert.HasCount(8, different);
    });

    [TestMethod]
    public void EmbedAndSearchPrintsFiveNeighboursAnAccuracyAndWhatTheGeneratorGives()
    {
        string output = Run(Pages.EmbedAndSearch.Page.Run);
        StringAssert.Contains(output, "encoder gives 24 numbers for each of 2 images");
        Assert.HasCount(5, output.Split('\n').Where(line => line.TrimEnd().EndsWith(".png")).ToArray());
        StringAssert.Contains(output, "right");
    }

    [TestMethod]
    public void FewLabelsProbesFineTunesAndSaves()
    {
        string output = Run(Pages.FewLabels.Page.Run, "classifier.zip");
        StringAssert.Contains(output, "linear probe: ");
        StringAssert.Contains(output, "fine-tuned: ");
        StringAssert.Contains(output, "class");
    }

    [TestMethod]
    public void ExportAndScoreWritesBothFilesAndRunsThem()
    {
        string output = Run(
            Pages.ExportAndScore.Page.Run,
            () => Assert.AreEqual(OnnxModelKind.Classifier, OnnxModelInfo.Read("classifier.onnx").Kind), "encoder.onnx");
        StringAssert.Contains(output, "Encoder: 16x16 -> 24 numbers");
        StringAssert.Contains(output, "class");
    }

    [TestMethod]
    public void ServePredictsWithALoadedModel()
    {
        StringAssert.Contains(Run(Pages.Serve.Page.Run, "classifier.zip"), "class");
    }

    [TestMethod]
    public void MethodsDistilsThenPretrainsWithAMethodAndAMaskingOfItsOwnAndExports()
    {
        string output = Run(Pages.Methods.Page.Run, "student.safetensors", "encoder.onnx", "autoencoder.onnx");
        StringAssert.Contains(output, "loss ");
        StringAssert.Contains(output, "columns hidden: ");
    }

    [TestMethod]
    public void ResumeGoesOnWhereItStood()
    {
        Run(Pages.Resume.Page.Run, () =>
        {
            string[] lines = File.ReadAllLines("runs/one/progress.csv");
            byte[] weights = File.ReadAllBytes("encoder.safetensors");
            Assert.HasCount(1, Directory.GetFiles("runs/one/checkpoints"));
            Pages.Resume.Page.Run();
            CollectionAssert.AreEqual(lines, File.ReadAllLines("runs/one/progress.csv"), "nothing was left to train");
            CollectionAssert.AreEqual(weights, File.ReadAllBytes("encoder.safetensors"));
        });
    }

    [TestMethod]
    public void EveryPageWithCodeIsRunHere()
    {
        string[] withCode = [.. Repository.Pages.Where(page => File.ReadAllText(page).Contains("\n```csharp")).Select(Path.GetFileName).Order()!];
        string[] compiled =
            [.. Assembly.GetExecutingAssembly().GetTypes().Where(t => t.Name == "Page").Select(t => t.Namespace!.Split('.')[^1]).Order()];
        Assert.HasCount(withCode.Length, compiled, $"{string.Join(", ", withCode)} against {string.Join(", ", compiled)}");
        int tests = GetType().GetMethods().Count(m => m.IsDefined(typeof(TestMethodAttribute)));
        Assert.AreEqual(compiled.Length, tests - 1, "a test for each page, and this one");
    }

    private static string Run(Action page, params string[] files) => Run(page, () => { }, files);

    /// <returns>What the page printed.</returns>
    private static string Run(Action page, Action then, params string[] files)
    {
        using var folder = new PageFolder();
        (TextWriter console, var written) = (Console.Out, new StringWriter());
        var start = DateTime.UtcNow;
        Console.SetOut(TextWriter.Synchronized(written));
        try
        {
            page();
            then();
        }
        finally
        {
            Console.SetOut(console);
        }
        foreach (string file in files)
            Assert.IsTrue(File.Exists(file) && File.GetLastWriteTimeUtc(file) >= start, $"The page did not write {file}; it printed: {written}");
        return written.ToString();
    }
}
