using System.IO.Compression;
using System.Reflection;
using System.Xml.Linq;

namespace Packages.Tests;

/// <summary>The packages of this repository, packed once for all tests into a folder of their own.</summary>
[TestClass]
public static class PackedPackages
{
    private static readonly Lazy<string> s_folder = new(Pack);

    /// <summary>Where they are.</summary>
    public static string Folder => s_folder.Value;

    /// <summary>The repository.</summary>
    public static string Repository { get; } = FindRepository();

    /// <summary>A setting of the build that made these tests.</summary>
    public static string Setting(string key) =>
        typeof(PackedPackages).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().First(a => a.Key == key).Value!;

    /// <summary>The version of a package that this repository is built on.</summary>
    public static string CentralVersion(string package) =>
        XDocument.Load(Path.Combine(Repository, "Directory.Packages.props")).Descendants("PackageVersion")
            .Single(e => (string?)e.Attribute("Include") == package).Attribute("Version")!.Value;

    /// <summary>Opens a package.</summary>
    public static ZipArchive Open(string id, string extension = "nupkg") =>
        ZipFile.OpenRead(Directory.GetFiles(Folder, $"{id}.*.{extension}").Single());

    /// <summary>A package's description of itself.</summary>
    public static XElement Metadata(string id)
    {
        using ZipArchive package = Open(id);
        using Stream stream = package.GetEntry($"{id}.nuspec")!.Open();
        XElement metadata = XDocument.Load(stream).Root!.Elements().Single(e => e.Name.LocalName == "metadata");
        // The namespace changes with what is in it.
        foreach (XElement element in metadata.DescendantsAndSelf()) element.Name = element.Name.LocalName;
        return metadata;
    }

    [AssemblyCleanup]
    public static void Delete()
    {
        if (s_folder.IsValueCreated) Directory.Delete(s_folder.Value, recursive: true);
    }

    private static string Pack()
    {
        string folder = Directory.CreateTempSubdirectory("smae-packages-").FullName;
        // All in one process: the SDK takes longer to start than to pack.
        string project = Path.Combine(folder, "pack.proj");
        File.WriteAllText(project, $"""
            <Project>
              <ItemGroup><Packed Include="{Repository}/src/*/*.csproj" /></ItemGroup>
              <Target Name="Pack">
                <MSBuild Projects="@(Packed)" Targets="Pack"
                         Properties="NoBuild=true;Configuration={Setting("Configuration")};PackageOutputPath={folder}" />
              </Target>
            </Project>
            """);
        Dotnet.Succeeds(folder, "msbuild", project, "-nologo", "-v:q", "-t:Pack");
        return folder;
    }

    private static string FindRepository()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "Smae.sln"))) folder = Path.GetDirectoryName(folder);
        return folder ?? throw new DirectoryNotFoundException($"Smae.sln is in no folder above {AppContext.BaseDirectory}.");
    }
}
