using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using EmbedFolder;
using FewLabels;
using ImageSearch;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using PretrainOnYourPhotos;
using Reproduction;
using Smae.Export;
using Smae.MLNet;
using Smae.Training;

namespace Examples.Tests;

/// <summary>
/// What is read, said and written is the same in every culture: decimal commas, Turkish letters, signs, percents and calendars of their own. All is made in a
/// process that has the cultures of the system, once in the invariant culture and once in each of these.
/// </summary>
[TestClass]
public sealed partial class CultureTests
{
    internal const string Argument = "cultures";
    private static readonly string[] s_cultures = ["de-DE", "tr-TR", "ar-SA", "fa-IR"];

    [TestMethod]
    [TestCategory("Process")]
    public void TextsAndFilesAreAsInTheInvariantCulture()
    {
        using var folder = new DrawnFolder();
        string dotnet = Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? Environment.ProcessPath! : "dotnet";
        var start = new ProcessStartInfo(dotnet, ["exec", typeof(CultureTests).Assembly.Location, Argument, folder.Path]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["DOTNET_SYSTEM_GLOBALIZATION_INVARIANT"] = "0";
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd() + errors.Result;
        process.WaitForExit();
        if (output.Contains("ICU package", StringComparison.Ordinal)) Assert.Inconclusive("There are no cultures on this system: apt-get install libicu72, say.");
        Assert.AreEqual("as everywhere", output.Trim());
    }

    /// <summary>What the test starts: tells every text that another culture changes.</summary>
    internal static int Run(string folder)
    {
        Dictionary<string, string> expected = In(CultureInfo.InvariantCulture, folder);
        bool isSame = expected["forms of Unicode"] == "(caf\u00E9, other)";
        if (!isSame) Console.WriteLine($"The classes of folders in two forms of Unicode are {expected["forms of Unicode"]}");
        foreach (string name in s_cultures)
        {
            CultureInfo culture = CultureInfo.GetCultureInfo(name);
            if (string.Create(culture, $"{-1.5:P1} {new DateTime(2026, 1, 2)} {"I".ToLower(culture)}") == string.Create(CultureInfo.InvariantCulture, $"{-1.5:P1} {new DateTime(2026, 1, 2)} i"))
                Console.WriteLine($"{name} is as the invariant culture: nothing is tested");
            Dictionary<string, string> found = In(culture, folder);
            foreach (string what in expected.Keys.Union(found.Keys))
            {
                string[] lines = Lines(expected, what), others = Lines(found, what);
                int at = Enumerable.Range(0, Math.Max(lines.Length, others.Length)).FirstOrDefault(i => lines.ElementAtOrDefault(i) != others.ElementAtOrDefault(i), -1);
                if (at < 0) continue;
                isSame = false;
                Console.WriteLine($"{name}, {what}, line {at + 1}:\n  {others.ElementAtOrDefault(at)}\n  expected {lines.ElementAtOrDefault(at)}");
            }
        }
        if (isSame) Console.WriteLine("as everywhere");
        return 0;

        static string[] Lines(Dictionary<string, string> texts, string what) => texts.GetValueOrDefault(what, "missing").Split('\n');
    }

    private static Dictionary<string, string> In(CultureInfo culture, string folder)
    {
        (CultureInfo before, string place) = (CultureInfo.CurrentCulture, Path.Combine(folder, "here"));
        CultureInfo.CurrentCulture = CultureInfo.CurrentUICulture = CultureInfo.DefaultThreadCurrentCulture = culture;
        try
        {
            var texts = new Dictionary<string, string>();
            Directory.CreateDirectory(place);
            AddMessages(texts);
            AddReports(texts, place);
            AddRun(texts, place);
            AddCommandLines(texts, place);
            foreach (string file in Directory.EnumerateFiles(place, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
            {
                if (Path.GetFileName(file).StartsWith("events.out", StringComparison.Ordinal)) continue;   // its name is another each time
                string name = Numbers().Replace(Path.GetRelativePath(place, file), "#");
                texts[name] = Path.GetExtension(file) is ".json" or ".html" or ".md" or ".svg" ? File.ReadAllText(file)
                    : Path.GetExtension(file) is ".csv" ? Numbers().Replace(File.ReadAllText(file), "#")
                    : Path.GetExtension(file) is ".onnx" or ".safetensors" ? Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(file))) : "";
            }
            return texts;
        }
        finally
        {
            CultureInfo.CurrentCulture = CultureInfo.CurrentUICulture = before;
            CultureInfo.DefaultThreadCurrentCulture = null;
            Directory.Delete(place, recursive: true);
        }
    }

    /// <summary>What options and factories say of numbers that they do not take, and what prints itself.</summary>
    private static void AddMessages(Dictionary<string, string> texts)
    {
        object[] options =
        [
            new MaePretrainOptions { Objective = Objective.SelfDistilledFeatures() with { Momentum = -0.5 }, Masking = Masking.Random(0.0123) },
            new MaePretrainOptions { Objective = Objective.Dino() }, new MaePretrainOptions { Objective = Objective.Data2Vec() },
            new MaePretrainOptions { Masking = Masking.BlockWise(0.98765) }, new MaePretrainOptions { Masking = Masking.Squares(0.0123) },
            new FineTuneOptions(), new LinearProbeOptions(), new ImagePreprocessing { Height = 8, Width = 8, Mean = [0.5f, 1.5f] }, new ImageReadOptions(), new ImageCacheOptions(),
        ];
        for (int i = 0; i < options.Length; i++)
        {
            object option = options[i];
            foreach (PropertyInfo property in option.GetType().GetProperties().Where(p => p.CanWrite))
            {
                Type type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
                object? wrong = type == typeof(double) ? -1234.5 : type == typeof(float) ? -1234.5f : type == typeof(int) ? -12345 : type == typeof(TimeSpan) ? TimeSpan.FromSeconds(-1.5) : null;
                if (wrong is not null) property.SetValue(option, wrong);
            }
            texts[$"{option.GetType().Name} {i}"] = Message(() => option.GetType().GetMethod("Validate")!.Invoke(option, BindingFlags.DoNotWrapExceptions, null, [], null));
        }
        foreach (MethodInfo factory in new[] { typeof(Masking), typeof(Augmentation), typeof(Objective) }.SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Static)))
        {
            object?[] arguments = [.. factory.GetParameters().Select(p => p.ParameterType == typeof(double) ? -1234.5 : p.ParameterType == typeof(int) ? -12345 : p.HasDefaultValue ? p.DefaultValue : null)];
            if (!factory.IsSpecialName && arguments.Any(a => a is double or int)) texts[$"{factory}"] = Message(() => factory.Invoke(null, BindingFlags.DoNotWrapExceptions, null, arguments, null));
        }
        var heldOut = new LabelFreeEvaluation(12, 3.25, 0.5) { Reconstruction = 0.125, RandomWeights = new LabelFreeEvaluation(12, 1.5, 0.25) };
        texts["values"] = string.Join('\n', new EpochSummary(1, 0.5, 1e-5, 1234.5) { Validation = new Evaluation(10, 2.5, 0.25, 0.5), HeldOut = heldOut }, Progress(heldOut),
            new OnnxProof(3, 1e-7, 2.5, 1e-5, 1e-3, 0.5), new NonFiniteLossException(double.NegativeInfinity, 1, 2, 0.5).Message, heldOut);
    }

    private static TrainingProgress Progress(LabelFreeEvaluation heldOut) => new()
    {
        Epoch = 1, Epochs = 2, Step = 3000, TotalSteps = 6000, Loss = 0.5, LearningRate = 1.5e-5, ImagesPerSecond = 1234.5, Elapsed = TimeSpan.FromSeconds(1.5), EpochEnded = true,
        Remaining = TimeSpan.FromSeconds(3723.5), HeldOut = heldOut,
    };

    /// <summary>Pages, charts and tables of given numbers.</summary>
    private static void AddReports(Dictionary<string, string> texts, string folder)
    {
        var heldOut = new LabelFreeEvaluation(12, 3.25, 0.5) { Reconstruction = 0.125 };
        EpochSummary[] history = [new(1, 0.9, 1e-3, 1234.5) { Validation = new Evaluation(10, 2, 0.25, 0.5), HeldOut = heldOut }, new(2, 0.5, 5e-4, 120) { HeldOut = heldOut }];
        new HtmlReport("Report").AddSettings("Settings", new MaePretrainOptions { Masking = Masking.Random(0.625), Augmentation = Augmentation.RandomResizedCrop(0.25) })
            .AddHistory("History", history).AddConfusionMatrix("Confusion", [[3.5, 1], [0, 4000]], ["INDIGO", "ilex"])
            .AddTable("Table", ["a", "b"], [["12.5 %", "-0.5"], ["12,5", ""]]).Save(Path.Combine(folder, "report.html"));
        using (var log = new RunLog(folder)) log.Report(Progress(heldOut));
        new ComparisonReport("data", [new(0.5, 12, 0.25, 0.125), new(100, 1200, 0.75, 0.5)]).Save(
            Path.Combine(folder, "table.md"), Path.Combine(folder, "plot.svg"), Path.Combine(folder, "comparison.html"));
        Method mae = Method.All.First(method => method.Key == Method.Baseline);
        var settings = new Settings(new DirectoryInfo(folder), null, new DirectoryInfo(folder), Scale.Small, [mae], 2, null, false, null, false, [0.125, 1], [0.5, 1]);
        Results results = Results.Open(settings, null);
        foreach (int seed in (int[])[1, 2])
            results.Set(new Figures { Method = mae.Key, Seed = seed, Rate = 0.5, Neighbors = 0.125 * seed, LinearProbe = 0.5, Seconds = 1.5, ImagesPerSecond = 12.5, PeakMegabytes = 1.5 });
        texts["results"] = ResultTable.Of(settings, results);
    }

    /// <summary>Folders, a training run, its files and its log. Numbers that no two runs share are left out, the signs between them are not.</summary>
    private static void AddRun(Dictionary<string, string> texts, string folder)
    {
        List<string> log = [];
        var ml = new MLContext(seed: 1);
        ml.Log += (_, e) => { if (e.Kind >= ChannelMessageKind.Info && e.Source.Contains("Mae", StringComparison.Ordinal)) lock (log) log.Add(Numbers().Replace(e.RawMessage, "#")); };
        var drawn = Path.Combine(folder, "images");
        using (var images = new DrawnFolder().Draw("images", classes: 2, perClass: 12)) Directory.Move(images["images"], drawn);
        foreach ((string name, string split, string ofClass) in new[] { ("class0", "TRAINING", "INDIGO"), ("class1", "VALID", "INDIGO") })
        {
            Directory.CreateDirectory(Path.Combine(drawn, split));
            Directory.Move(Path.Combine(drawn, name), Path.Combine(drawn, split, ofClass));
        }
        File.Move(Path.Combine(drawn, "TRAINING", "INDIGO", "0.png"), Path.Combine(drawn, "TRAINING", "INDIGO", "I.TIFF"));
        IDataView rows = ml.Data.LoadImageFolder(drawn);
        texts["folder"] = string.Join('\n', rows.GetColumn<string>("ImagePath").Zip(rows.GetColumn<string>("Label")));
        foreach (string file in (string[])["train/caf\u00E9/1.png", "val/cafe\u0301/2.png", "val/other/3.png"])
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(folder, "forms", file))!);
            File.WriteAllText(Path.Combine(folder, "forms", file), "");
        }
        texts["forms of Unicode"] = $"({string.Join(", ", ml.Data.LoadImageFolder(Path.Combine(folder, "forms")).GetColumn<string>("Label").Distinct())})";
        texts["splits"] = $"{ml.Data.LoadImageFolder(drawn, ImageFolderSplit.Train).GetRowCount()} {ml.Data.LoadImageFolder(drawn, ImageFolderSplit.Validation).GetRowCount()}";
        var options = new MaePretrainOptions
        {
            Encoder = VisionTransformerConfig.VitTiny16.ForImages(16, patchSize: 8) with { EmbedDim = 20, Depth = 1, NumHeads = 2, MlpRatio = 1.5 },
            Epochs = 1, BatchSize = 8, Seed = 1, HeldOutImages = 4, Mean = [0.25f, 0.5f, 0.125f], Checkpoints = new CheckpointOptions { Directory = Path.Combine(folder, "checkpoints") },
        };
        using (MaeTransformer trained = ml.Transforms.MaePretrain("Embedding", "ImagePath", options).Fit(rows))
        {
            trained.Encoder.Save(Path.Combine(folder, "encoder.safetensors"));
            trained.Encoder.ExportOnnx(Path.Combine(folder, "encoder.onnx"));
            texts["ONNX"] = $"{OnnxModelInfo.Read(Path.Combine(folder, "encoder.onnx")).Preprocessing == trained.Encoder.Preprocessing}";
        }
        texts["log"] = string.Join('\n', log.Distinct());   // how often progress is told depends on the time
        Directory.Delete(Path.Combine(folder, "checkpoints"), recursive: true);
    }

    /// <summary>Command lines with numbers, good and bad, and what programs print.</summary>
    private static void AddCommandLines(Dictionary<string, string> texts, string folder)
    {
        string images = Path.Combine(folder, "images"), encoder = Path.Combine(folder, "encoder.safetensors"), onnx = Path.Combine(folder, "encoder.onnx"), none = Path.Combine(folder, "none");
        Add("FewLabels", ExampleProgram.Run<FewLabelsSettings>("--data", none, "--percent", "100.0", "0.5"));
        Add("Pretrain", ExampleProgram.Run<PretrainSettings>("--photos", none, "--hours", "8760.0", "--checkpoint-minutes", "10080.0"));
        Add("Reproduction", ExampleProgram.Run<Reproduction.Settings>("--images", none, "--label-shares", "1.0", "0.5", "--rates", "-0.5"));
        Add("EmbedFolder", ExampleProgram.Run<Part>("--images", images, "--encoder", onnx, "--out", Path.Combine(folder, "embeddings"), "--rows", "5"));
        Add("index", ExampleProgram.Run<EmbeddedImages>("index", "--images", images, "--encoder", encoder, "--index", Path.Combine(folder, "index")));
        Add("query", ExampleProgram.Run<EmbeddedImages>("query", Directory.GetFiles(images, "*.png", SearchOption.AllDirectories).Order(StringComparer.Ordinal).First(),
            "--index", Path.Combine(folder, "index"), "--count", "3", "--out", Path.Combine(folder, "found.html")));

        void Add(string program, (int Exit, string Output) run) => texts[program] = string.Join('\n', Numbers().Replace($"{run.Exit}: {run.Output}", "#").Split('\n').Distinct());
    }

    private static string Message(Action action)
    {
        try { action(); }
        catch (ArgumentOutOfRangeException e) { return e.Message.Split(Environment.NewLine)[0]; }   // "Actual value was" is .NET's own
        catch (Exception e) { return e.Message; }
        return "none";
    }

    [GeneratedRegex(@"\d+(\.\d+)?([eE][-+]?\d+)?")]
    private static partial Regex Numbers();
}
