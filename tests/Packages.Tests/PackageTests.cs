using System.IO.Compression;
using System.Xml.Linq;

namespace Packages.Tests;

/// <summary>What users get with <c>dotnet add package</c>: the packages' own descriptions and contents.</summary>
[TestClass]
public sealed class PackageTests
{
    [TestMethod]
    [DataRow("Smae.Training", "MPI.NET", "SkiaSharp", "SkiaSharp.NativeAssets.Linux.NoDependencies", "TorchSharp")]
    [DataRow("Smae.Export", "Google.Protobuf", "Microsoft.ML.OnnxRuntime.Managed", "Smae.Training", "TorchSharp")]
    [DataRow(
        "Smae.MLNet", "Microsoft.Extensions.AI.Abstractions", "Microsoft.Extensions.DependencyInjection.Abstractions", "Microsoft.ML",
        "Microsoft.ML.ImageAnalytics", "Microsoft.ML.OnnxTransformer", "Parquet.Net", "Smae.Export", "Smae.Training")]
    public void APackageDependsOnWhatItNeedsWhileRunningAtTheVersionsItIsWrittenAgainst(string id, params string[] dependencies)
    {
        XElement group = PackedPackages.Metadata(id).Element("dependencies")!.Elements("group").Single();
        Assert.AreEqual("net10.0", (string?)group.Attribute("targetFramework"));
        string own = (string)PackedPackages.Metadata(id).Element("version")!;
        string[] expected = [.. dependencies.Select(name => $"{name} {(name.StartsWith("Smae.") ? own : PackedPackages.CentralVersion(name))}")];
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
    public void APackageHoldsItsAssemblyItsDocumentationWhatItsBuildNeedsAndNothingElse(string id)
    {
        using ZipArchive package = PackedPackages.Open(id), symbols = PackedPackages.Open(id, "snupkg");
        string[] held =
            [.. package.Entries.Select(e => e.FullName).Where(n => n.StartsWith("lib/") || n.StartsWith("runtimes/") || n.StartsWith("build")).Order()];
        string[] build = id == "Smae.Training" ? ["buildTransitive/Smae.Training.targets"] : [];
        string library = $"lib/net10.0/{id}.dll", comments = $"lib/net10.0/{id}.xml";
        CollectionAssert.AreEqual((string[])[.. build, library, comments], held, string.Join(", ", held));
        using Stream documentation = package.GetEntry(comments)!.Open();
        Assert.IsGreaterThan(20, XDocument.Load(documentation).Descendants("member").Count());
        Assert.IsNotNull(symbols.GetEntry($"lib/net10.0/{id}.pdb"));
    }
}
