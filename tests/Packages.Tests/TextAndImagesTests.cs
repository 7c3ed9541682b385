namespace Packages.Tests;

/// <summary>The example that is in no solution, since it needs a package that nothing stands in for.</summary>
[TestClass]
public sealed class TextAndImagesTests
{
    [TestMethod]
    public void ItBuildsWhereTheRealPackagesAreAndSaysWhatIsWrongWithATable()
    {
        if (PackedPackages.Refusal is not null) Assert.Inconclusive("The feed lacks Microsoft.ML.TorchSharp.");
        string project = Path.Combine(PackedPackages.Repository, "examples", "TextAndImages");
        (int exit, string output) = Dotnet.Run(project, "build", "-c", PackedPackages.Setting("Configuration"), "-nologo", "-v", "q");
        Assert.AreEqual(0, exit, output);
        string program = Path.Combine(project, "bin", PackedPackages.Setting("Configuration"), "net10.0", "TextAndImages.dll");
        (exit, output) = Dotnet.Run(project, program, "--products", "none.tsv");
        Assert.AreEqual(1, exit, output);
        StringAssert.Contains(output, "There is no table");
    }
}
