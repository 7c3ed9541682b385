using System.Text;

namespace Packages.Tests;

/// <summary>The packages in a project that knows nothing of this repository: restored from a folder, compiled against, run, published.</summary>
[TestClass]
public sealed class InstalledPackageTests
{
    private const string Library = "libLibTorchSharp.so";
    private static string s_folder = "";

    [ClassInitialize]
    public static void MakeProject(TestContext context)
    {
        s_folder = Directory.CreateTempSubdirectory("smae-consumer-").FullName;
        File.Copy(Path.Combine(AppContext.BaseDirectory, "Consumer", "Program.cs"), Path.Combine(s_folder, "Program.cs"));
        File.WriteAllText(Path.Combine(s_folder, "nuget.config"), $"""
            <configuration><packageSources><add key="packed" value="{PackedPackages.Folder}" /></packageSources></configuration>
            """);
        // Packages of this test stay out of the machine's package folder; what is there already is not fetched again.
        File.WriteAllText(Path.Combine(s_folder, "Consumer.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <Nullable>enable</Nullable>
                <ImplicitUsings>enable</ImplicitUsings>
                <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
                <WarningsNotAsErrors>NU1901;NU1902;NU1903;NU1904</WarningsNotAsErrors>
                <CreateHardLinksForCopyLocalIfPossible>true</CreateHardLinksForCopyLocalIfPossible>
                <RestorePackagesPath>{s_folder}/packages</RestorePackagesPath>
                <RestoreFallbackFolders>{PackedPackages.Setting("NuGetPackageRoot")}</RestoreFallbackFolders>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="Smae.MLNet" Version="{(string)PackedPackages.Metadata("Smae.MLNet").Element("version")!}" />
                <PackageReference Include="TorchSharp-cpu" Version="{PackedPackages.CentralVersion("TorchSharp-cpu")}" />
                <PackageReference Include="Microsoft.ML.OnnxRuntime" Version="{PackedPackages.CentralVersion("Microsoft.ML.OnnxRuntime")}" />
              </ItemGroup>
            </Project>
            """);
        Dotnet.Succeeds(s_folder, "restore", "--runtime", "linux-x64");   // once for all, with a runtime and without
    }

    [ClassCleanup]
    public static void DeleteProject() => Directory.Delete(s_folder, recursive: true);

    [TestMethod]
    public void ANewConsoleProjectPretrainsEmbedsExportsAndScores()
    {
        Dotnet.Succeeds(s_folder, "build", "-c", "Release", "--no-restore");
        Runs("bin/Release/net10.0");
        using var package = PackedPackages.Open("Smae.MLNet");
        Assert.AreEqual(
            package.GetEntry("lib/net10.0/Smae.MLNet.dll")!.Length,
            new FileInfo(Path.Combine(s_folder, "bin/Release/net10.0/Smae.MLNet.dll")).Length,
            "another Smae.MLNet of this version was used: delete it from the machine's package folder");
    }

    [TestMethod]
    [DataRow("")]
    [DataRow("--runtime linux-x64 --self-contained false")]
    public void APublishedProgramRunsFromItsFolder(string how)
    {
        Dotnet.Succeeds(s_folder, ["publish", "-c", "Release", "--no-restore", "-o", "published", .. how.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);
        try
        {
            Runs("published");
        }
        finally
        {
            Directory.Delete(Path.Combine(s_folder, "published"), recursive: true);
        }
    }

    /// <summary>TorchSharp's own file asks for a C++ library that Debian 12 does not have, without need: an application there gets a copy that does not.</summary>
    [TestMethod]
    public void ADemandThatTheSystemCannotMeetIsTakenBackInACopyAndThePackageStays()
    {
        if (!OperatingSystem.IsLinux()) return;   // the file is Linux's
        byte[] original = File.ReadAllBytes(Directory.GetFiles(
            Path.Combine(PackedPackages.Setting("NuGetPackageRoot"), "torchsharp", PackedPackages.CentralVersion("TorchSharp")),
            Library, SearchOption.AllDirectories).Single());

        Dotnet.Succeeds(s_folder, "build", "-c", "Release", "--no-restore", "-r", "linux-x64");
        byte[] built = File.ReadAllBytes(Path.Combine(s_folder, "bin/Release/net10.0/linux-x64", Library));
        int[] changed = [.. Enumerable.Range(0, original.Length).Where(i => original[i] != built[i])];
        Assert.HasCount(original.Length, built);
        Assert.HasCount(SystemLacksTheVersion() ? 1 : 0, changed);
        foreach (int i in changed) Assert.AreEqual(original[i] | 2, built[i], "VER_FLG_WEAK is the second bit");

        Dotnet.Succeeds(
            s_folder, "build", "-c", "Release", "--no-restore", "-r", "linux-x64", "-p:SmaeRepairTorchSharp=false", "--no-incremental", "-o", "unchanged");
        CollectionAssert.AreEqual(original, File.ReadAllBytes(Path.Combine(s_folder, "unchanged", Library)));
        if (!SystemLacksTheVersion()) return;
        (int exit, string output) = Dotnet.Run(s_folder, Path.Combine(s_folder, "unchanged", "Consumer.dll"));
        Assert.AreNotEqual(0, exit, output);
        StringAssert.Contains(output, "TorchSharp's libLibTorchSharp.so asks for GLIBCXX_3.4.32");
        Assert.IsFalse(output.Contains("TypeInitializationException") || output.Contains("Step 1"), output);   // no page of TorchSharp's search
    }

    private static void Runs(string output)
    {
        string text = Dotnet.Succeeds(s_folder, Path.Combine(s_folder, output, "Consumer.dll"));
        StringAssert.Contains(text, "6 embeddings of 16 numbers");
        StringAssert.Contains(text, "encoder.onnx");
        StringAssert.Contains(text, "6 scores of the file agree");
    }

    private static bool SystemLacksTheVersion()
    {
        string line = File.ReadLines("/proc/self/maps").First(l => l.Contains("/libstdc++.so.6"));
        return File.ReadAllBytes(line[line.IndexOf('/')..]).AsSpan().IndexOf(Encoding.ASCII.GetBytes("GLIBCXX_3.4.32\0")) < 0;
    }
}
