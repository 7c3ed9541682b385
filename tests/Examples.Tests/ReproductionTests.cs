using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.ML.Data;

namespace Examples.Tests;

/// <summary>The program of <c>examples/Reproduction</c> from its command line to its table, at the scale of a smoke test on drawn images.</summary>
[TestClass]
public sealed class ReproductionTests : IDisposable
{
    private static readonly string[] s_head =
        ["method", "masking", "k-NN", "linear probe", "100% of labels", "cub", "ms/image", "of MAE's", "MiB", "seconds"];
    private readonly string _folder = Directory.CreateTempSubdirectory("smae-reproduction-").FullName;

    public ReproductionTests()
    {
        Draw("tiny", "val", classes: 3);
        Draw("cub", "test", classes: 2);
    }

    private string Output => Path.Combine(_folder, "out");

    private string Table => Path.Combine(Output, "table.md");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [TestMethod]
    public void OneCommandFillsEveryRowOfTheTable()
    {
        (int exit, string output) = Run();
        Assert.AreEqual(0, exit, output);
        StringAssert.Contains(output, File.ReadAllText(Table));
        StringAssert.Contains(output, "tiny: 24 + 12 images of 3 classes");
        string[][] rows = Cells();
        CollectionAssert.AreEqual(s_head, rows[0]);
        string[] names = [.. rows.Skip(1).Select(r => $"{r[0]}, {r[1]}")];
        string[] expected =
        [
            "from scratch, ", "MAE, random 75%", "MAE, block 50%", "SMAE 0.5, random 75%", "SMAE 0.5, block 50%", "PixMIM, random 75%",
            "MFF (MAE), random 75%", "DMAE, random 75%", "distilled, ", "SdAE, random 75%", "SimMIM, squares 60%", "MaskFeat, block-wise 40%",
            "data2vec, block-wise 61%", "BootMAE, block-wise 75%", "DINO, ", "iBOT, block-wise 10-50%",
        ];
        CollectionAssert.AreEqual(expected, names);
        foreach (string[] row in rows.Skip(1))
        {
            foreach (int column in (int[])[2, 3, 4, 5]) Assert.IsTrue(double.Parse(row[column]) is >= 0 and <= 100, string.Join('|', row));
            foreach (int column in (int[])[6, 7, 8])
                Assert.AreEqual(row[0] != "from scratch", double.TryParse(row[column], out double cost) && cost > 0, "cost where something is pretrained");
        }
        Assert.AreEqual("1.00", rows[2][7], "MAE is what cost is measured by");
        string report = File.ReadAllText(Path.Combine(Output, "report.html"));
        string[] headings = [.. Regex.Matches(report, "<h2>([^<]*)</h2>").Select(m => m.Groups[1].Value)];
        foreach (string name in expected) Assert.Contains($"{name.Replace(", ", " ").TrimEnd()}: attention", headings);
        string[] drawn = ["MAE", "SMAE 0.5", "PixMIM", "MFF (MAE)", "DMAE", "SimMIM"];
        CollectionAssert.AreEquivalent(drawn, headings.Where(h => h.EndsWith(": reconstructions")).Select(h => drawn.First(h.StartsWith)).Distinct().ToArray());
        Assert.IsEmpty(Directory.GetDirectories(Output, "checkpoints", SearchOption.AllDirectories));
    }

    [TestMethod]
    public void AStoppedExperimentGoesOnWithWhatIsMissingAndMeasuresTheSame()
    {
        Assert.AreEqual(0, Run("--methods", "mae-random", "smae1-block", "--seeds", "2").Exit);
        JsonNode whole = Results();
        CollectionAssert.AreEqual((string[])["MAE", "SMAE 1.0"], Cells().Skip(1).Select(r => r[0]).ToArray());
        StringAssert.Contains(Cells()[1][2], "±");

        // As a run leaves it that was killed in the second row's fine-tuning: part of the figures, no checkpoint yet.
        JsonNode stopped = whole.DeepClone();
        JsonNode row = stopped["rows"]!.AsArray().First(r => (string?)r!["method"] == "smae1-block")!;
        row["tuned"] = new JsonObject();
        File.WriteAllText(Path.Combine(Output, "results.json"), stopped.ToString());
        (int exit, string output) = Run("--methods", "mae-random", "smae1-block", "none", "--seeds", "2", "--resume");
        Assert.AreEqual(0, exit, output);
        Assert.IsFalse(output.Contains("pretraining:"), "what was pretrained is not pretrained again");

        JsonArray after = Results()["rows"]!.AsArray();
        Assert.HasCount(6, after);
        foreach (JsonNode? before in whole["rows"]!.AsArray())
        {
            JsonNode again = after.First(r => (string?)r!["method"] == (string?)before!["method"] && (int)r["seed"]! == (int)before["seed"]!)!;
            foreach (string figure in (string[])["neighbors", "linearProbe", "imagesPerSecond"])
                Assert.AreEqual((double)before![figure]!, (double)again[figure]!, $"{before} {figure}");
            foreach (string figure in (string[])["100% of labels", "cub"])
                Assert.AreEqual((double)before!["tuned"]![figure]!, (double)again["tuned"]![figure]!, $"{before} {figure}");
        }
    }

    /// <summary>One's own folder without splits, few labels, a search for the learning rate that a resumed run does not do again.</summary>
    [TestMethod]
    public void AFolderOfOnesOwnIsEnough()
    {
        Draw("own", "", classes: 2);
        string[] arguments = ["--images", Path.Combine(_folder, "own"), "--methods", "mae-random", "simmim", "--label-shares", "0.5", "1", "--rates", "0.5", "2"];
        (int exit, string output) = RunOn(arguments);
        Assert.AreEqual(0, exit, output);
        StringAssert.Contains(output, "own: 20 + 4 images of 2 classes");
        string[] head = ["method", "masking", "k-NN", "linear probe", "50% of labels", "100% of labels", "rate", "ms/image", "of MAE's", "MiB", "seconds"];
        CollectionAssert.AreEqual(head, Cells()[0]);
        JsonNode results = Results();
        Assert.HasCount(4, results["trials"]!.AsObject());
        foreach (JsonNode? row in results["rows"]!.AsArray())
        {
            var trials = ((double[])[0.5, 2]).Select(rate => (rate, Top1: (double)results["trials"]![FormattableString.Invariant($"{row!["method"]}, rate x {rate}")]!));
            Assert.AreEqual(trials.MaxBy(t => t.Top1).rate, (double)row!["rate"]!, "the best of the trials");
        }
        (exit, output) = RunOn([.. arguments, "--resume", "--seeds", "2"]);
        Assert.AreEqual(0, exit, output);
        Assert.IsFalse(output.Contains("rate x"), "no trial is done twice");
        StringAssert.Contains(Cells()[1][4], "±");
        (exit, output) = RunOn([.. arguments[..^3], "--resume"]);
        Assert.AreEqual(1, exit);
        StringAssert.Contains(output, "learning rates times 0.5, 2");
    }

    [TestMethod]
    public void SharesOfLabelsAreDrawnByClass()
    {
        using var images = new Smae.Training.ImageStore(4, 4);
        for (int i = 0; i < 120; i++) images.Add(Enumerable.Repeat((byte)i, 48).ToArray());
        var labelled = new Smae.Training.LabelledImages(images, [.. Enumerable.Range(0, 120).Select(i => i < 100 ? 0 : 1)]);
        var set = new Reproduction.LabelledSet("set", labelled, labelled);
        using Reproduction.LabelledSet tenth = set.WithLabels(0.1, seed: 1), least = set.WithLabels(0.001, seed: 1), other = set.WithLabels(0.1, seed: 2);
        Assert.AreEqual((12, 2), (tenth.Training.Count, Enumerable.Range(0, 12).Count(i => tenth.Training[i] == 1)));
        Assert.AreEqual(2, least.Training.Count, "one of each class");
        int[] Numbers(Reproduction.LabelledSet of) => [.. Enumerable.Range(0, (int)of.Training.Count).Select(i => (int)of.Training.Images[i][0])];
        Assert.IsTrue(Numbers(tenth).Zip(Enumerable.Range(0, 12)).All(x => x.First >= 100 == (tenth.Training[x.Second] == 1)), "an image keeps its label");
        CollectionAssert.AreNotEqual(Numbers(tenth), Numbers(other));
        using Reproduction.LabelledSet held = set.WithoutTest();
        Assert.AreEqual((96, 24), (held.Training.Count, held.Test.Count));
        Assert.AreEqual(4, Enumerable.Range(0, 24).Count(i => held.Test[i] == 1));
    }

    [TestMethod]
    public void EveryOtherMethodIsARowToo()
    {
        string[] others = ["smae1-random", "smae1-block", "mff-smae", "mff-pixmim", "dmae-raw", "distil-tuned"];
        (int exit, string output) = Run(["--probes-only", "--methods", .. others]);
        Assert.AreEqual(0, exit, output);
        string[][] rows = Cells();
        Assert.HasCount(1 + others.Length, rows);
        foreach (string[] row in rows.Skip(1)) Assert.AreEqual("", row[4] + row[5], "nothing is fine-tuned");
        (exit, output) = Run("--methods", "dmae", "--resume");
        Assert.AreEqual(0, exit, output);
        Assert.IsFalse(output.Contains("teacher, teacher"), "the teacher is there already");
        Assert.AreNotEqual("", Cells()[1][5]);
    }

    [TestMethod]
    public void ATeacherThatCannotServeIsNamedBeforeAnythingIsTrained()
    {
        string missing = Path.Combine(_folder, "vit-large.safetensors");
        (int exit, string output) = Run("--methods", "mae-random", "dmae", "--teacher", missing);
        Assert.AreEqual(1, exit);
        StringAssert.Contains(output, $"--teacher is '{missing}': expected a file that is there");
        (exit, output) = Run("--methods", "mae-random", "dmae", "--scale", "imagenet");
        Assert.AreEqual(1, exit);
        StringAssert.Contains(output, "--teacher FILE");
        Assert.IsFalse(Directory.Exists(Output));

        string given = Path.Combine(_folder, "given.safetensors");
        File.WriteAllText(given, "no weights");
        (exit, output) = Run("--methods", "distil-tuned", "--teacher", given);
        Assert.AreEqual(1, exit);
        StringAssert.Contains(output, "name distil and give its file with --teacher");
        (exit, output) = Run("--methods", "distil", "--teacher", Path.ChangeExtension(missing, ".onnx"));
        Assert.AreEqual(1, exit);
        StringAssert.Contains(output, "vit-large.onnx': expected a file that is there");

        string small = Path.Combine(_folder, "small.safetensors");
        using (var encoder = Smae.Training.ImageEncoder.Create(Smae.Training.VisionTransformerConfig.VitTiny16.ForImages(16, patchSize: 4) with
               {
                   EmbedDim = 16, Depth = 1, NumHeads = 2,
               })) encoder.Save(small);
        (exit, output) = Run("--methods", "dmae", "--teacher", small);
        Assert.AreEqual(1, exit);
        StringAssert.Contains(output, "4x4 patches cannot correspond to the encoder's 6x6");
    }

    [TestMethod]
    public void EveryScaleTakesEveryMethod()
    {
        foreach (Reproduction.Scale scale in Enum.GetValues<Reproduction.Scale>())
        foreach (Reproduction.Method method in Reproduction.Method.All.Where(m => m is { Pretraining: not null, Helper: Reproduction.Helper.None }))
            method.Pretraining!(Reproduction.Plans.Of(scale)).Validate();
    }

    [TestMethod]
    public void ResultsAreNeitherOverwrittenNorMixed()
    {
        Assert.AreEqual(0, Run("--methods", "none").Exit);
        (int exit, string output) = Run("--methods", "none");
        Assert.AreEqual(1, exit);
        StringAssert.Contains(output, "--resume");
        (exit, output) = Run("--methods", "none", "--resume", "--scale", "small");
        Assert.AreEqual(1, exit);
        StringAssert.Contains(output, "of scale Smoke");
        (exit, output) = Run("--methods", "mea");
        Assert.AreNotEqual(0, exit);
        StringAssert.Contains(output, "mae-random");
    }

    /// <summary>Runs the program in this process.</summary>
    private (int Exit, string Output) Run(params string[] arguments) =>
        RunOn(["--tiny-imagenet", Path.Combine(_folder, "tiny"), "--cub", Path.Combine(_folder, "cub"), .. arguments]);

    private (int Exit, string Output) RunOn(string[] arguments)
    {
        string[] all = ["--out", Output, .. arguments.Contains("--scale") ? (string[])[] : ["--scale", "smoke"], .. arguments];
        (TextWriter console, TextWriter errors, var written) = (Console.Out, Console.Error, new StringWriter());
        Console.SetOut(written);
        Console.SetError(written);
        try
        {
            var exit = (int)typeof(Reproduction.Plan).Assembly.EntryPoint!.Invoke(null, [all])!;
            return (exit, written.ToString());
        }
        finally
        {
            Console.SetOut(console);
            Console.SetError(errors);
        }
    }

    private string[][] Cells() =>
    [
        .. File.ReadAllLines(Table).Where((_, line) => line != 1).Select(line => line.Split('|')[1..^1].Select(cell => cell.Trim()).ToArray()),
    ];

    private JsonNode Results() => JsonNode.Parse(File.ReadAllText(Path.Combine(Output, "results.json")))!;

    /// <summary>Class folders of images that differ in a stripe's place and in noise.</summary>
    private void Draw(string set, string testSplit, int classes)
    {
        const int size = 24;
        var random = new Random(classes);
        foreach ((string split, int count) in testSplit.Length == 0 ? ((string, int)[])[("", 12)] : [("train", 8), (testSplit, 4)])
        for (int c = 0; c < classes; c++)
        {
            string directory = Directory.CreateDirectory(Path.Combine(_folder, set, split, $"class{c}")).FullName;
            for (int i = 0; i < count; i++)
            {
                var rgba = new byte[size * size * 4];
                for (int p = 0; p < rgba.Length; p++) rgba[p] = (byte)(p % 4 == 3 ? 255 : random.Next(60) + (p / 4 % size / 8 == c ? 180 : 0));
                using var image = MLImage.CreateFromPixels(size, size, MLPixelFormat.Rgba32, rgba);
                image.Save(Path.Combine(directory, $"{i}.png"));
            }
        }
    }
}
