using System.IO.Compression;
using System.Xml.Linq;

namespace Packages.Tests;

/// <summary>What users get with <c>dotnet add package</c>: the packages' own descriptions and contents.</summary>
[TestClass]
public sealed class PackageTests
{
    [TestMethod]
    [DataRow("Smae.Training", "TorchSharp")]
    [DataRow("Smae.Export", "Google.Protobuf", "Microsoft.ML.OnnxRuntime.Managed", "Smae.Training", "TorchSharp")]
    [DataRow("Smae.MLNet", "Microsoft.ML", "Microsoft.ML.ImageAnalytics", "Microsoft.ML.OnnxTransformer", "Smae.Export", "Smae.Training")]
    public void APackageDependsOnWhatItNeedsWhileRunningAtTheVersionsItIsWrittenAgainst(string id, params string[] dependencies)
    {
        XElement group = PackedPackages.Metadata(id).Element("dependencies")!.Elements("group").Single();
        Assert.AreEqual("net10.0", (string?)group.Attribute("targetFramework"));
        string own = (string)PackedPackages.Metadata(id).Element("version")!;
        string[] expected = [.. dependencies.Select(name => $"{name} {(name.StartsWith("Smae.") ? own : CentralVersion(name))}")];
        string[] found =
            [.. group.Elements("dependency").Select(d => $"{d.Attribute("id")!.Value} {d.Attribute("version")!.Value}").Order(StringComparer.Ordinal)];
        CollectionAssert.AreEqual(expected, found, string.Join(", ", found));
        foreach (XElement dependency in group.Elements("dependency"))
            Assert.IsFalse(((string?)dependency.Attribute("exclude") ?? "").Contains("Compile"), $"{dependency}: its types are public here");
    }

    [TestMethod]
    [DataRow("Smae.Training")]
    [DataRow("Smae.Export")]
    [DataRow("Smae.MLNet")]
    public void APackageTellsAboutItself(string id)
    {
        XElement metadata = PackedPackages.Metadata(id);
        Assert.AreEqual("MIT", (string?)metadata.Element("license"));
        Assert.AreEqual("expression", (string?)metadata.Element("license")!.Attribute("type"));
        Assert.AreEqual("README.md", (string?)metadata.Element("readme"));
        StringAssert.Contains((string?)metadata.Element("tags"), "masked-autoencoder");
        Assert.IsGreaterThan(40, ((string)metadata.Element("description")!).Length);
        using ZipArchive package = PackedPackages.Open(id);
        using var readme = new StreamReader(package.GetEntry("README.md")!.Open());
        Assert.AreEqual(File.ReadAllText(Path.Combine(PackedPackages.Repository, "README.md")), readme.ReadToEnd());
    }

    [TestMethod]
    [DataRow("Smae.Training")]
    [DataRow("Smae.Export")]
    [DataRow("Smae.MLNet")]
    public void APackageHoldsItsAssemblyItsDocumentationAndNothingElse(string id)
    {
        using ZipArchive package = PackedPackages.Open(id), symbols = PackedPackages.Open(id, "snupkg");
        string[] held =
            [.. package.Entries.Select(e => e.FullName).Where(n => n.StartsWith("lib/") || n.StartsWith("runtimes/") || n.StartsWith("build")).Order()];
        CollectionAssert.AreEqual((string[])[$"lib/net10.0/{id}.dll", $"lib/net10.0/{id}.xml"], held, string.Join(", ", held));
        using Stream documentation = package.GetEntry(held[1])!.Open();
        Assert.IsGreaterThan(20, XDocument.Load(documentation).Descendants("member").Count());
        Assert.IsNotNull(symbols.GetEntry($"lib/net10.0/{id}.pdb"));
    }

    [TestMethod]
    public void ABuildOnPolyfillsIsNotPackedByMistake()
    {
        if (PackedPackages.Refusal is null) Assert.Inconclusive("This build stands on the real libraries: it is packed.");
        foreach (string id in (string[])["Smae.Training", "Smae.Export", "Smae.MLNet"])
            StringAssert.Contains(PackedPackages.Refusal, $"{id} cannot be packed here");
    }

    /// <summary>The version in <c>Directory.Packages.props</c>, where there are two the one of this build.</summary>
    private static string CentralVersion(string package)
    {
        string mark = PackedPackages.Refusal is null ? "!= 'true'" : "== 'true'";
        return XDocument.Load(Path.Combine(PackedPackages.Repository, "Directory.Packages.props")).Descendants("PackageVersion")
            .Where(e => (string?)e.Attribute("Include") == package)
            .Single(e => e.Attribute("Condition") is not { } condition || condition.Value.Contains(mark)).Attribute("Version")!.Value;
    }
}
