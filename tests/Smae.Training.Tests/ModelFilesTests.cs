namespace Smae.Training.Tests;

/// <summary>Weights and their description as files: of no two models the same, both or neither, in folders that need not be there.</summary>
[TestClass]
public sealed class ModelFilesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("smae-files-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [TestMethod]
    public void NoTwoNamesTouchTheSameFile()
    {
        string[] names = ["a", "a.safetensors", "a.bin", "a.safetensors.safetensors", "a.b", "a.bin.safetensors"];
        var written = new HashSet<string>();
        foreach (string name in names)
        {
            string folder = Path.Combine(_folder, $"only {name}");
            Save(Path.Combine(folder, name), 0);
            foreach (string file in Directory.GetFiles(folder)) Assert.IsTrue(written.Add(Path.GetFileName(file)), file);
        }
        for (int i = 0; i < names.Length; i++) Save(Path.Combine(_folder, names[i]), i + 1);
        for (int i = 0; i < names.Length; i++)
        {
            using ImageEncoder loaded = ImageEncoder.Load(Path.Combine(_folder, names[i]));
            Assert.AreEqual(4 * (i + 1), loaded.Model.Config.EmbedDim, names[i]);
        }
    }

    [TestMethod]
    public void ANameForADescriptionIsNoneForWeights()
    {
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => Save(Path.Combine(_folder, "a.json"), 0)).Message, "a.json");
        Assert.IsEmpty(Directory.GetFiles(_folder));
    }

    [TestMethod]
    public void DescriptionsOfEarlierVersionsAreFound()
    {
        string path = Path.Combine(_folder, "a.bin");
        Save(path, 2);
        File.Move(path + ".safetensors.json", Path.Combine(_folder, "a.json"));
        using ImageEncoder loaded = ImageEncoder.Load(path);
        Assert.AreEqual(8, loaded.Model.Config.EmbedDim);
    }

    [TestMethod]
    public void WhereOneOfThemCannotBeWrittenTheOtherIsAsItWas()
    {
        string path = Path.Combine(_folder, "a.safetensors"), description = Path.Combine(_folder, "a.json");
        Save(path, 1);
        string before = File.ReadAllText(description);
        File.Delete(path);
        Directory.CreateDirectory(Path.Combine(path, "something"));
        Assert.Throws<SystemException>(() => Save(path, 2));
        Assert.AreEqual(before, File.ReadAllText(description));
        Assert.HasCount(1, Directory.GetFiles(_folder));

        File.Delete(description);
        Assert.Throws<SystemException>(() => Save(path, 2));
        Assert.IsEmpty(Directory.GetFiles(_folder), "a description without weights");
    }

    private static void Save(string path, int width)
    {
        using ImageEncoder encoder = ImageEncoder.Create(TinyModels.Encoder with { EmbedDim = Math.Max(4, 4 * width), NumHeads = 1, Depth = 1 });
        encoder.Save(path);
    }
}
