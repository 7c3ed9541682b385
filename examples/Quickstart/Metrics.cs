using System.Text.Json;

namespace Quickstart;

/// <summary>What a run measured, as it stands in <c>metrics.json</c>.</summary>
internal sealed record Metrics
{
    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    public required string Dataset { get; init; }

    public required long TrainImages { get; init; }

    public required long ValidationImages { get; init; }

    public required int Epochs { get; init; }

    public required int FineTuneEpochs { get; init; }

    /// <summary>The whole run.</summary>
    public required double Seconds { get; init; }

    /// <summary>Images pretrained on a second.</summary>
    public required double ImagesPerSecond { get; init; }

    public required double FirstLoss { get; init; }

    public required double LastLoss { get; init; }

    /// <summary>Share of validation images that a linear classifier on the pretrained encoder's embeddings gets right.</summary>
    public required double ProbeAccuracyPretrained { get; init; }

    /// <summary>The same with an encoder of random weights.</summary>
    public required double ProbeAccuracyRandom { get; init; }

    /// <summary>Share of validation images that the fine-tuned encoder gets right.</summary>
    public required double FineTuneAccuracy { get; init; }

    /// <summary>The same trained from random weights, with the same settings.</summary>
    public required double ScratchAccuracy { get; init; }

    /// <summary>The largest difference between a number that ONNX Runtime gives and TorchSharp's, over encoder and classifier.</summary>
    public required double OnnxMaxAbsDifference { get; init; }

    /// <summary>The largest difference between a probability in this process and one that an application without Smae gets from the saved model.</summary>
    public required double SavedModelMaxAbsDifference { get; init; }

    public void Write(string path)
    {
        string temporary = path + ".tmp";
        File.WriteAllText(temporary, JsonSerializer.Serialize(this, s_json) + "\n");
        File.Move(temporary, path, overwrite: true);
    }
}
