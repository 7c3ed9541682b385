using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Smae.Export;
using Smae.MLNet;
using Smae.Training;

namespace Docs.Tests;

/// <summary>What the pages refer to is there, and what is there is on the index page.</summary>
[TestClass]
public sealed class IndexTests
{
    [TestMethod]
    public void EveryLinkToAFileLeadsToOne()
    {
        string[] ofExamples = Directory.GetFiles(Path.Combine(Repository.Folder, "examples"), "README.md", SearchOption.AllDirectories);
        string[] broken =
        [
            .. from page in Repository.Pages.Concat(ofExamples)
               from Match link in Regex.Matches(File.ReadAllText(page), @"\]\((?!https?:|#)([^)#]+)(#[^)]*)?\)")
               let target = Path.GetFullPath(link.Groups[1].Value, Path.GetDirectoryName(page)!)
               where !File.Exists(target) && !Directory.Exists(target)
               select $"{Path.GetRelativePath(Repository.Folder, page)}: {link.Groups[1].Value}",
        ];
        Assert.IsEmpty(broken, string.Join('\n', broken));
    }

    [TestMethod]
    public void EveryComponentForPipelinesAndServicesIsInTheIndex()
    {
        string index = File.ReadAllText(Path.Combine(Repository.Folder, "docs", "README.md"));
        string[] components =
        [
            .. typeof(MaeCatalog).Assembly.GetExportedTypes().Where(t => t is { IsAbstract: true, IsSealed: true }).SelectMany(t => t.GetMethods())
                .Where(m => m.IsDefined(typeof(ExtensionAttribute))).Select(m => m.Name).Distinct(),
        ];
        Assert.Contains("MaePretrain", components);
        string[] missing = [.. components.Where(name => !Regex.IsMatch(index, $@"`(ml\.[\w.]+|services)\.{name}`"))];
        Assert.IsEmpty(missing, string.Join(", ", missing));
    }

    [TestMethod]
    public void EveryMethodIsOnItsPage()
    {
        string page = File.ReadAllText(Path.Combine(Repository.Folder, "docs", "methods.md"));
        string[] methods = [.. typeof(Objective).GetMethods().Concat(typeof(OnnxObjectives).GetMethods())
            .Where(m => m.IsStatic && m.ReturnType.IsSubclassOf(typeof(Objective))).Select(m => m.Name).Distinct()];
        Assert.Contains("Pixel", methods);
        string[] missing = [.. methods.Where(name => !page.Contains($"`Objective.{name}(", StringComparison.Ordinal))];
        Assert.IsEmpty(missing, string.Join(", ", missing));
    }

    [TestMethod]
    public void EveryTypeNamedInTheIndexIsThere()
    {
        string index = File.ReadAllText(Path.Combine(Repository.Folder, "docs", "README.md"));
        string table = index[index.IndexOf("## Without ML.NET", StringComparison.Ordinal)..];
        HashSet<string> types = [.. ((Assembly[])[typeof(Smae.Training.Recipes).Assembly, typeof(Smae.Export.OnnxExport).Assembly])
            .SelectMany(a => a.GetExportedTypes()).Select(t => t.Name)];
        string[] named = [.. table.Split('\n').Where(line => line.StartsWith("| `")).SelectMany(line => Regex.Matches(line.Split('|')[1], "`(\\w+)`"))
            .Select(match => match.Groups[1].Value)];
        Assert.IsGreaterThan(10, named.Length);
        string[] unknown = [.. named.Where(name => !types.Contains(name))];
        Assert.IsEmpty(unknown, string.Join(", ", unknown));
    }
}
