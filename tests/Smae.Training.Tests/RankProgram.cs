using System.Globalization;
using System.Text.Json;
using TorchSharp;

namespace Smae.Training.Tests;

/// <summary>What <see cref="MpiTests"/> starts, alone or under mpirun: <c>dotnet exec Smae.Training.Tests.dll ranks FOLDER KIND EPOCHS</c>.</summary>
internal static class RankProgram
{
    public const string Argument = "ranks";

    internal static int Run(string folder, string kind, string epochs)
    {
        DataParallel? ranks = DataParallel.FromEnvironment();
        if (ranks is not null)
            ranks = ranks with
            {
                Timeout = TimeSpan.FromSeconds(kind == "stopped" ? 3 : 60), Precision = kind == "bfloat16" ? Precision.BFloat16 : Precision.Float32,
            };
        int rank = ranks?.Rank ?? 0;
        File.WriteAllText(Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"pid-{rank}")), $"{Environment.ProcessId}");
        if (kind == "early" && rank == 1) return 3;
        using ImageStore images = TinyModels.Images(40);
        MaePretrainOptions options = TinyModels.Options with
        {
            Epochs = int.Parse(epochs, CultureInfo.InvariantCulture), LearningRate = kind == "disagreeing" ? 1e-3 * (1 + rank) : 1e-3,
            Encoder = TinyModels.Encoder with { Dropout = 0.1 }, Augmentation = Augmentation.HorizontalFlip(),
            Distributed = ranks,
            Checkpoints = kind == "killed" ? new CheckpointOptions { Directory = Path.Combine(folder, "run"), Interval = TimeSpan.FromMilliseconds(20) } : null,
            Progress = kind == "throwing" && rank == 1 ? null : new Reporter(folder),
        };
        if (kind == "throwing" && rank == 1) options = options with { Augmentation = Throwing.InThirdStep };
        try
        {
            MaePretrainResult result = MaePretraining.Run(images, options, log: Console.WriteLine);
            if (ranks?.IsFirst != false)
                File.WriteAllText(Path.Combine(folder, "result.json"), JsonSerializer.Serialize(new Result(
                    [.. result.History.Select(e => e.Loss)], TensorHash.Of(ModelWeights.Of(result.Model)), torch.get_num_threads(),
                    AppDomain.CurrentDomain.GetAssemblies().Any(a => a.GetName().Name == "MPI"))));
            return 0;
        }
        catch (Exception e)
        {
            File.WriteAllText(Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"failure-{rank}")), e.Message);
            Console.Error.WriteLine(e.Message);
            return 1;
        }
    }

    internal sealed record Result(double[] Losses, string Weights, int Threads, bool HasMpi);

    /// <summary>Tells a test that steps are being taken.</summary>
    private sealed class Reporter(string folder) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => File.WriteAllText(Path.Combine(folder, "step"), $"{value.Step}");
    }

    /// <summary>A flip like the others', by its name too, that fails after a while.</summary>
    private sealed record Throwing : Augmentation
    {
        private int _steps;

        public static Augmentation InThirdStep { get; } = new Throwing();

        public override string ToString() => HorizontalFlip().ToString();

        private protected override torch.Tensor Transform(torch.Tensor images, RandomSequence[] random) =>
            ++_steps < 3 ? images : throw new IOException("the disk is gone");
    }
}
