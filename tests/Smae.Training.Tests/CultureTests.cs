using System.Diagnostics;
using System.Globalization;

namespace Smae.Training.Tests;

/// <summary>
/// What is written in one culture is read in every other: a run in a process of its own, with the cultures of the system, decimal commas and Turkish letters.
/// </summary>
[TestClass]
public sealed class CultureTests
{
    internal const string Argument = "culture";

    [TestMethod]
    [TestCategory("Process")]
    [DataRow("de-DE")]
    [DataRow("tr-TR")]
    public void ARunGoesOnAndFilesAreReadInEveryCulture(string culture)
    {
        string folder = Directory.CreateTempSubdirectory("smae-culture").FullName;
        try
        {
            Whole(Path.Combine(folder, "here"), epochs: 1);   // stops here, in the invariant culture
            string dotnet = Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? Environment.ProcessPath! : "dotnet";
            var start = new ProcessStartInfo(dotnet, ["exec", typeof(CultureTests).Assembly.Location, Argument, culture, folder])
            {
                RedirectStandardOutput = true, RedirectStandardError = true,
            };
            start.Environment["DOTNET_SYSTEM_GLOBALIZATION_INVARIANT"] = "0";
            start.Environment["DOTNET_SYSTEM_GLOBALIZATION_PREDEFINED_CULTURES_ONLY"] = "0";
            using Process process = Process.Start(start)!;
            string output = process.StandardOutput.ReadToEnd() + process.StandardError.ReadToEnd();
            process.WaitForExit();
            if (output.Contains("ICU", StringComparison.Ordinal)) Check(WithCommas(), folder);   // no cultures on this system: the numbers of one, at least
            else Assert.AreEqual("as everywhere", output.Trim());
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    /// <summary>What the test starts.</summary>
    internal static int Run(string culture, string folder)
    {
        Check(CultureInfo.GetCultureInfo(culture), folder);
        Console.WriteLine("as everywhere");
        return 0;
    }

    private static void Check(CultureInfo culture, string folder)
    {
        CultureInfo before = CultureInfo.CurrentCulture;
        CultureInfo.CurrentCulture = CultureInfo.DefaultThreadCurrentCulture = culture;
        try
        {
            Assert.AreEqual("1,5", $"{1.5}", "no decimal comma, so nothing is tested");
            List<string> log = [];
            string hash = Whole(Path.Combine(folder, "here"), epochs: 2, log.Add);
            Assert.IsTrue(log.Any(line => line.Contains("Going on from", StringComparison.Ordinal)), string.Join('\n', log));
            Assert.IsTrue(log.Any(line => line.Contains("loss 0.", StringComparison.Ordinal) || line.Contains("loss 1.", StringComparison.Ordinal)));
            CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
            Assert.AreEqual(Whole(Path.Combine(folder, "whole"), epochs: 2), hash);

            CultureInfo.CurrentCulture = culture;
            string path = Path.Combine(folder, "ENCODER.I.safetensors");
            ImagePreprocessing preprocessing = TinyModels.Options.Preprocessing with { Mean = [0.25f, 0.5f, 0.125f] };
            using (var encoder = new ImageEncoder(new VisionTransformer(TinyModels.Encoder), preprocessing)) encoder.Save(path);
            using ImageEncoder loaded = ImageEncoder.Load(path);
            CollectionAssert.AreEqual(preprocessing.Mean.ToArray(), loaded.Preprocessing.Mean.ToArray());
            Assert.AreEqual(TinyModels.Encoder, loaded.Model.Config);

            MaePretrainOptions wrong = TinyModels.Options with
            {
                Beta1 = 1.5, MinimumLearningRate = 2.5, Objective = Objective.SelfDistilledFeatures() with { Momentum = -0.5 },
            };
            string message = Assert.ThrowsExactly<ArgumentException>(wrong.Validate).Message;
            foreach (string part in (string[])["Beta1 is 1.5", "MinimumLearningRate is 2.5", "Objective.Momentum is -0.5"]) StringAssert.Contains(message, part);
            message = Assert.ThrowsExactly<ArgumentException>((new FineTuneOptions { LayerDecay = 1.25, WarmupEpochs = 100.5 }).Validate).Message;
            foreach (string part in (string[])["LayerDecay is 1.25", "WarmupEpochs is 100.5"]) StringAssert.Contains(message, part);
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
            CultureInfo.DefaultThreadCurrentCulture = null;
        }
    }

    /// <summary>A run of two epochs that is cancelled after some of them.</summary>
    private static string Whole(string checkpoints, int epochs, Action<string>? log = null)
    {
        using ImageStore images = TinyModels.Images(16);
        using var stop = new CancellationTokenSource();
        MaePretrainOptions options = TinyModels.Options with
        {
            Objective = Objective.LowPassPixel(0.25), MinimumLearningRate = 1.5e-5, Augmentation = Augmentation.RandomResizedCrop(0.5),
            Checkpoints = new CheckpointOptions { Directory = checkpoints }, CancellationToken = stop.Token,
            Progress = new Stop(progress => { if (progress.EpochEnded && progress.Epoch == epochs && epochs < 2) stop.Cancel(); }),
        };
        try
        {
            using MaskedAutoencoder model = MaePretraining.Run(images, options, log: log).Model;
            return TensorHash.Of(ModelWeights.Of(model));
        }
        catch (OperationCanceledException) when (epochs < 2)
        {
            return "";
        }
    }

    private static CultureInfo WithCommas()
    {
        var culture = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        (culture.NumberFormat.NumberDecimalSeparator, culture.NumberFormat.NegativeSign) = (",", "\u2212");
        return culture;
    }

    private sealed class Stop(Action<TrainingProgress> report) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => report(value);
    }
}
