using SkiaSharp;

namespace Docs.Tests;

/// <summary>The code of pages over photos of which some are broken or gone, beside an empty folder.</summary>
[TestClass]
public sealed class DamagedPhotosTests
{
    [TestMethod]
    public void ReadmeSurvives() => Run(Pages.Readme.Page.Run, "encoder.onnx");

    [TestMethod]
    public void PretrainSurvives() => Run(Pages.Pretrain.Page.Run, "runs/photos/report.html");

    [TestMethod]
    public void EmbedAndSearchSurvives()
    {
        string output = Run(Pages.EmbedAndSearch.Page.Run);
        Assert.DoesNotContain("NaN", output);
        StringAssert.Contains(output, "24 rows, 12 images could not be read");
        StringAssert.Matches(output, new("[0-9.]+ ?% right"));
        StringAssert.Contains(output, "for each of 2 images");
    }

    [TestMethod]
    public void FewLabelsSurvives()
    {
        string output = Run(Pages.FewLabels.Page.Run, "classifier.zip");
        Assert.DoesNotContain("NaN", output);
        StringAssert.Matches(output, new("linear probe: +[0-9]"));
        StringAssert.Matches(output, new("fine-tuned: +[0-9]"));
    }

    [TestMethod]
    public void ExportAndScoreSurvives() => StringAssert.Contains(Run(Pages.ExportAndScore.Page.Run, "classifier.onnx"), "truncated PNG");

    [TestMethod]
    public void MethodsSurvives() => Assert.DoesNotContain("NaN", Run(Pages.Methods.Page.Run, "student.safetensors", "autoencoder.onnx"));

    [TestMethod]
    public void ResumeSurvives() => Run(Pages.Resume.Page.Run, "runs/one/progress.csv");

    [TestMethod]
    public void ServeSurvives()
    {
        string output = Run(Pages.Serve.Page.Run);
        StringAssert.Matches(output, new(@"class[01] \([0-9]+ ?%\)"));
        StringAssert.Contains(output, "text.png: ");
    }

    [TestMethod]
    public void EveryPageThatReadsPhotosIsTriedHere()
    {
        int reading = Repository.Pages.Select(File.ReadAllText).Count(page => page.Contains("\"photos", StringComparison.Ordinal) && page.Contains("\n```csharp"));
        Assert.AreEqual(reading, GetType().GetMethods().Count(m => m.IsDefined(typeof(TestMethodAttribute), false)) - 1);
    }

    /// <summary>Runs a page over 14 good photos, 24 with those that are not, in two classes; a third is empty.</summary>
    private static string Run(Action page, params string[] files)
    {
        using var folder = new PageFolder();
        foreach (string split in (string[])["train", "val"])
        {
            string first = $"photos/{split}/class0/0.png";   // first in order, so that what takes a few rows meets it
            using (SKBitmap photo = SKBitmap.Decode(first))
            using (SKData jpeg = photo.Encode(SKEncodedImageFormat.Jpeg, 90)) File.WriteAllBytes($"photos/{split}/class1/0.jpg", jpeg.ToArray()[..^200]);
            File.WriteAllBytes(first, File.ReadAllBytes(first)[..200]);
            File.WriteAllText($"photos/{split}/class1/none.jpg", "");
            File.WriteAllText($"photos/{split}/class0/text.png", "not a picture");
            File.WriteAllText($"photos/{split}/class1/0text.png", "not a picture");
            File.CreateSymbolicLink($"photos/{split}/class0/0gone.png", Path.GetFullPath("nowhere.png"));
            Directory.CreateDirectory($"photos/{split}/class2");
        }
        (TextWriter console, var written) = (Console.Out, new StringWriter());
        Console.SetOut(TextWriter.Synchronized(written));
        try
        {
            page();
        }
        finally
        {
            Console.SetOut(console);
        }
        foreach (string file in files) Assert.IsTrue(File.Exists(file), $"The page did not write {file}; it printed: {written}");
        return written.ToString();
    }
}
