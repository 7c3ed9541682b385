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

    /// <summary>The whole run: reading, pretraining, embedding, probing.</summary>
    public required double Seconds { get; init; }

    /// <summary>Images pretrained on a second.</summary>
    public required double ImagesPerSecond { get; init; }

    public required double FirstLoss { get; init; }

    public required double LastLoss { get; init; }

    /// <summary>Share of validation images that a linear classifier on the pretrained encoder's embeddings gets right.</summary>
    public required double ProbeAccuracyPretrained { get; init; }

    /// <summary>The same with an encoder of random weights.</summary>
    public required double ProbeAccuracyRandom { get; init; }

    public void Write(string path)
    {
        string temporary = path + ".tmp";
        File.WriteAllText(temporary, JsonSerializer.Serialize(this, s_json) + "\n");
        File.Move(temporary, path, overwrite: true);
    }
}
