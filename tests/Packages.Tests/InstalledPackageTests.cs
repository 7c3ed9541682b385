namespace Packages.Tests;

/// <summary>The packages in a project that knows nothing of this repository: restored from a folder, compiled against, run.</summary>
[TestClass]
public sealed class InstalledPackageTests
{
    [TestMethod]
    public void ANewConsoleProjectPretrainsEmbedsAndExportsWithThePackages()
    {
        if (PackedPackages.Refusal is not null) Assert.Inconclusive("The feed lacks the libraries that the packages depend on.");
        string folder = Directory.CreateTempSubdirectory("smae-consumer-").FullName;
        try
        {
            string version = (string)PackedPackages.Metadata("Smae.MLNet").Element("version")!;
            File.Copy(Path.Combine(AppContext.BaseDirectory, "Consumer", "Program.cs"), Path.Combine(folder, "Program.cs"));
            File.WriteAllText(Path.Combine(folder, "nuget.config"), $"""
                <configuration><packageSources><add key="packed" value="{PackedPackages.Folder}" /></packageSources></configuration>
                """);
            // Packages of this test stay out of the machine's package folder; what is there already is not fetched again.
            File.WriteAllText(Path.Combine(folder, "Consumer.csproj"), $"""
                <Project Sdk="Microsoft.NET.Sdk">
                  <PropertyGroup>
                    <OutputType>Exe</OutputType>
                    <TargetFramework>net10.0</TargetFramework>
                    <Nullable>enable</Nullable>
                    <ImplicitUsings>enable</ImplicitUsings>
                    <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
                    <WarningsNotAsErrors>NU1603;NU1901;NU1902;NU1903;NU1904</WarningsNotAsErrors>
                    <RestorePackagesPath>{folder}/packages</RestorePackagesPath>
                    <RestoreFallbackFolders>{PackedPackages.Setting("NuGetPackageRoot")}</RestoreFallbackFolders>
                  </PropertyGroup>
                  <ItemGroup>
                    <PackageReference Include="Smae.MLNet" Version="{version}" />
                    <PackageReference Include="TorchSharp-cpu" Version="0.106.0" />
                    <PackageReference Include="Microsoft.ML.OnnxRuntime" Version="1.23.2" />
                  </ItemGroup>
                </Project>
                """);
            (int exit, string output) = Dotnet.Run(folder, "run", "-c", "Release");
            Assert.AreEqual(0, exit, output);
            StringAssert.Contains(output, "6 embeddings of 16 numbers");
            StringAssert.Contains(output, "encoder.onnx");
            using var package = PackedPackages.Open("Smae.MLNet");
            Assert.AreEqual(
                package.GetEntry("lib/net10.0/Smae.MLNet.dll")!.Length,
                new FileInfo(Path.Combine(folder, "bin/Release/net10.0/Smae.MLNet.dll")).Length,
                "another Smae.MLNet of this version was used: delete it from the machine's package folder");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
