using System.Diagnostics;
using EmbedFolder;
using Microsoft.ML;
using Microsoft.ML.Data;
using Smae.Export;
using Smae.MLNet;
using Smae.Training;

namespace Examples.Tests;

/// <summary>The program of <c>examples/EmbedFolder</c> on drawn images: every image is in the files once, whatever happens to a run.</summary>
[TestClass]
public sealed class EmbedFolderTests : IDisposable
{
    private readonly DrawnFolder _folder = new();
    private readonly MLContext _ml = new();

    private string Weights => _folder["encoder.safetensors"];

    private string Onnx => _folder["encoder.onnx"];

    private string Out => _folder["out"];

    [TestInitialize]
    public void DrawAndMakeAnEncoder()
    {
        _folder.Draw("images", classes: 3, perClass: 8);
        File.Copy(_folder["images", "class0", "0.png"], _folder["images", "alone.png"]);
        File.WriteAllText(_folder["images", "class1", "broken.png"], "no picture");
        File.WriteAllText(_folder["images", "class1", "notes.txt"], "no image");
        using var encoder = ImageEncoder.Create(VisionTransformerConfig.VitTiny16.ForImages(16, patchSize: 8) with { EmbedDim = 20, Depth = 1, NumHeads = 2 });
        encoder.Save(Weights);
        encoder.ExportOnnx(Onnx);
    }

    public void Dispose() => _folder.Dispose();

    [TestMethod]
    public void EveryImageIsARowWithItsLabelAndABrokenOneTellsWhy()
    {
        string output = Run("--encoder", Onnx, "--rows", "10", "--batch", "7");
        StringAssert.Contains(output, "26 images to embed");
        StringAssert.Contains(output, "1 images cannot be read");
        Assert.HasCount(3, Directory.GetFiles(Out, "*.parquet"));
        List<Row> rows = Rows();
        AssertAllOnce(rows);
        foreach (Row row in rows) Assert.AreEqual(row.ImagePath.EndsWith("alone.png") ? "" : Path.GetFileName(Path.GetDirectoryName(row.ImagePath)), row.Label);
        Row broken = rows.Single(row => row.Error.Length > 0);
        StringAssert.Contains(broken.Error, "broken.png: not an image");
        Assert.IsTrue(broken.Embedding.All(float.IsNaN) && rows.Count(row => row.Embedding.Any(float.IsNaN)) == 1);

        IDataView paths = _ml.Data.LoadFromEnumerable(rows.Where(row => row.Error.Length == 0).ToList());
        using ImageEncoder encoder = ImageEncoder.Load(Weights);
        float[][] expected = [.. _ml.Transforms.MaeEmbedding("E", "ImagePath", encoder).Fit(paths).Transform(paths).GetColumn<float[]>("E")];
        foreach ((float[] one, Row row) in expected.Zip(rows.Where(row => row.Error.Length == 0)))
            for (int i = 0; i < one.Length; i++) Assert.AreEqual(one[i], row.Embedding[i], 1e-4f, row.ImagePath);
    }

    [TestMethod]
    public void WeightsInBothPrecisionsAndAnotherEncoderIsRefused()
    {
        Run("--encoder", Weights);
        float[] single = Rows().Single(row => row.ImagePath.EndsWith("alone.png")).Embedding;
        (int exit, string output) = Start("--encoder", Weights, "--precision", "BFloat16");
        Assert.AreEqual(1, exit);
        StringAssert.Contains(output, "precision Float32");
        StringAssert.Contains(Start("--encoder", Onnx).Output, "Choose another --out");
        Directory.Delete(Out, recursive: true);
        Run("--encoder", Weights, "--precision", "BFloat16");
        float[] half = Rows().Single(row => row.ImagePath.EndsWith("alone.png")).Embedding;
        CollectionAssert.AreNotEqual(single, half);
        for (int i = 0; i < half.Length; i++) Assert.AreEqual(single[i], half[i], 0.1f);
    }

    [TestMethod]
    public void PartsShareTheImagesAndAnotherNumberOfThemGoesOn()
    {
        Run("--encoder", Onnx, "--part", "1/3");
        int first = Rows().Count;
        Assert.IsTrue(first is > 0 and < 26, $"{first}");
        foreach (string part in (string[])["0/2", "1/2"]) Run("--encoder", Onnx, "--part", part);
        AssertAllOnce(Rows());
        StringAssert.Contains(Run("--encoder", Onnx), "0 images to embed, 26 embedded before");
        File.Copy(_folder["images", "class0", "1.png"], _folder["images", "class2", "new.png"]);
        StringAssert.Contains(Run("--encoder", Onnx), "1 images to embed, 26 embedded before");
        AssertAllOnce(Rows());
    }

    [TestMethod]
    public void TheRankIsThatOfMpirunOrSrun()
    {
        Assert.AreEqual(new Part(0, 1), Part.OfEnvironment());
        foreach ((string rank, string size)
            in new[] { ("PMI_RANK", "PMI_SIZE"), ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"), ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS") })
        {
            Environment.SetEnvironmentVariable(rank, "2");
            Environment.SetEnvironmentVariable(size, "5");
            Assert.AreEqual(new Part(2, 5), Part.OfEnvironment(), rank);
            Environment.SetEnvironmentVariable(rank, null);
            Environment.SetEnvironmentVariable(size, null);
        }
    }

    [TestMethod]
    public void AKilledRunGoesOnAndEveryImageIsThereOnce()
    {
        var random = new Random(3);
        string[] command = ["--images", _folder["images"], "--out", Out, "--encoder", Onnx, "--rows", "2", "--batch", "1"];
        for (int kill = 0; kill < 3; kill++)
        {
            int before = Files();
            using Process process = BuiltProgram.Start("EmbedFolder", command);
            var clock = Stopwatch.StartNew();
            while (Files() < before + 2 && !process.HasExited && clock.Elapsed.TotalSeconds < 60) Thread.Sleep(1);
            Thread.Sleep(random.Next(10));
            process.Kill();   // SIGKILL
            process.WaitForExit();
        }
        File.WriteAllText(Path.Combine(Out, "part-000-of-001-000099.parquet.torn.tmp"), "a file that was being written");
        int kept = Files();
        Assert.IsGreaterThan(0, kept);
        Run("--encoder", Onnx, "--rows", "2");
        AssertAllOnce(Rows());
        Assert.HasCount(0, Directory.GetFiles(Out, "*.tmp"));

        int Files() => Directory.Exists(Out) ? Directory.GetFiles(Out, "*.parquet").Length : 0;
    }

    [TestMethod]
    [Timeout(60_000)]
    public void APipeIsABrokenImageAndALinkBackToTheFolderIsPassedOver()
    {
        _folder.AddPipeAndLinks("images");
        StringAssert.Contains(Run("--encoder", Onnx), "4 images cannot be read");
        List<Row> rows = Rows();
        Assert.HasCount(29, rows);
        foreach (string name in (string[])["pipe.png", "to pipe.png", "to nothing.png"]) StringAssert.Contains(rows.Single(row => Path.GetFileName(row.ImagePath) == name).Error, name);
    }

    [TestMethod]
    public void AnEncoderThatCannotBeLoadedLeavesTheFolderToTheNext()
    {
        File.WriteAllText(_folder["rubbish.onnx"], "no model");
        AssertError("rubbish.onnx", "--encoder", _folder["rubbish.onnx"]);
        Run("--encoder", Onnx);
        AssertError("Choose another --out", "--encoder", _folder["rubbish.onnx"]);
        File.WriteAllText(Directory.GetFiles(Out, "*.parquet")[0], "torn");
        AssertError("Once that file is deleted", "--encoder", Onnx);
        File.WriteAllText(Path.Combine(Out, "run.json"), "null");
        AssertError("run.json is damaged", "--encoder", Onnx);
    }

    [TestMethod]
    public void WhatIsMissingOrWrongIsAnErrorThatNamesIt()
    {
        AssertError("none", "--encoder", _folder["none.onnx"]);
        AssertError("--part is '3/3'", "--encoder", Onnx, "--part", "3/3");
        AssertError("--rows is '0'", "--encoder", Onnx, "--rows", "0");
        AssertError("an ONNX file, which has its own", "--encoder", Onnx, "--precision", "BFloat16");
        Directory.CreateDirectory(Out);
        using FileStream held = new(Path.Combine(Out, "part-000-of-001.lock"), FileMode.Create, FileAccess.ReadWrite, FileShare.None);
        AssertError("by another process", "--encoder", Onnx);
    }

    private void AssertError(string words, params string[] arguments)
    {
        (int exit, string output) = Start(arguments);
        Assert.AreEqual(1, exit, output);
        StringAssert.Contains(output, words);
    }

    private string Run(params string[] arguments)
    {
        (int exit, string output) = Start(arguments);
        Assert.AreEqual(0, exit, output);
        return output;
    }

    private (int Exit, string Output) Start(params string[] arguments) =>
        ExampleProgram.Run<Part>(["--images", _folder["images"], "--out", Out, .. arguments]);

    private List<Row> Rows() => [.. _ml.Data.CreateEnumerable<Row>(_ml.Data.LoadEmbeddings(Out), reuseRowObject: false)];

    private void AssertAllOnce(List<Row> rows) => CollectionAssert.AreEqual(
        Directory.GetFiles(_folder["images"], "*.png", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToArray(),
        rows.Select(row => row.ImagePath).Order(StringComparer.Ordinal).ToArray());

    private sealed class Row
    {
        public string ImagePath { get; set; } = "";

        [VectorType(20)]
        public float[] Embedding { get; set; } = [];

        public string Label { get; set; } = "";

        public string Error { get; set; } = "";
    }
}
