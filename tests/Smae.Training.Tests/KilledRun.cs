using System.Globalization;
using System.Text.Json;
using Smae.Tests;

namespace Smae.Training.Tests;

/// <summary>
/// A tiny run in a process of its own for <see cref="KillTests"/>: <c>dotnet exec Smae.Training.Tests.dll FOLDER RESULT EPOCHS METHOD</c>.
/// </summary>
internal static class KilledRun
{
    internal static int Run(string folder, string result, string epochs, string method)
    {
        using ImageStore images = TinyModels.Images(64);
        MaePretrainOptions common = TinyModels.Options with { Epochs = int.Parse(epochs, CultureInfo.InvariantCulture) };
        MaePretrainOptions options = EveryMethod.Options(method, common, Path.GetDirectoryName(folder)!) with
        {
            WeightAverageDecay = method is "DINO" or "iBOT" ? null : 0.9,   // they give their teacher, an average already
            Checkpoints = new CheckpointOptions { Directory = folder, Interval = TimeSpan.FromMilliseconds(20) },
        };
        MaePretrainResult run = MaePretraining.Run(images, options, log: Console.Out.WriteLine);
        string losses = JsonSerializer.Serialize(run.History.Select(e => e.Loss));
        SafeTensors.Save(result, ModelWeights.Of(run.Model), new Dictionary<string, string> { ["losses"] = losses });
        return 0;
    }
}
