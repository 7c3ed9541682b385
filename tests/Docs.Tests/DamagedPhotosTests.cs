namespace Docs.Tests;

/// <summary>The code of pages over photos of which some are broken or gone, beside an empty folder.</summary>
[TestClass]
public sealed class DamagedPhotosTests
{
    [TestMethod]
    public void PretrainSurvives() => Run(Pages.Pretrain.Page.Run);

    [TestMethod]
    public void FewLabelsSurvives()
    {
        string output = Run(Pages.FewLabels.Page.Run);
        Assert.DoesNotContain("NaN", output);
        StringAssert.Matches(output, new("linear probe: +[0-9]"));
        StringAssert.Matches(output, new("fine-tuned: +[0-9]"));
    }

    private static string Run(Action page)
    {
        using var folder = new PageFolder();
        foreach (string split in (string[])["train", "val"])
        {
            string first = $"photos/{split}/class0/0.png";   // first in order, so that what takes a few rows meets it
            File.WriteAllBytes(first, File.ReadAllBytes(first)[..200]);
            File.WriteAllText($"photos/{split}/class1/none.jpg", "");
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
        return written.ToString();
    }
}
