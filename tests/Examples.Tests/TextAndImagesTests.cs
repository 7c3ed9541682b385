using TextAndImages;

namespace Examples.Tests;

/// <summary>The program of <c>examples/TextAndImages</c> on drawn products.</summary>
[TestClass]
public sealed class TextAndImagesTests
{
    [TestMethod]
    public void ProductsAreToldByTitlePictureAndBoth()
    {
        using DrawnFolder folder = new DrawnFolder().Draw("images", classes: 2, perClass: 20);
        string[] words = ["shoe with red laces", "table of oak wood"];
        IEnumerable<string> rows = Enumerable.Range(0, 40).Select(i => $"{words[i % 2]} number {i}\timages/class{i % 2}/{i / 2}.png\tkind{i % 2}");
        File.WriteAllLines(folder["products.tsv"], ["title\tpicture\tcategory", .. rows]);
        (int exit, string output) = ExampleProgram.Run<Product>("--products", folder["products.tsv"], "--image-epochs", "1");
        Assert.AreEqual(0, exit, output);
        StringAssert.Contains(output, "products to test on");
        StringAssert.Contains(output, "by title    100");
        StringAssert.Contains(output, "by picture  ");
        StringAssert.Contains(output, "by both     ");
    }

    [TestMethod]
    public void AMissingTableAndAMissingPictureAreErrorsThatNameThem()
    {
        using var folder = new DrawnFolder();
        (int exit, string output) = ExampleProgram.Run<Product>("--products", folder["none.tsv"]);
        Assert.AreEqual(1, exit, output);
        StringAssert.Contains(output, $"--products is '{folder["none.tsv"]}': expected a file that is there");
        File.WriteAllLines(folder["products.tsv"], ["title\tpicture\tcategory", "shoe\tgone.png\tshoes"]);
        (exit, output) = ExampleProgram.Run<Product>("--products", folder["products.tsv"]);
        Assert.AreEqual(1, exit, output);
        StringAssert.Contains(output, "row 1: there is no picture");
    }
}
