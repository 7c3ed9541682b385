using System.Text.Json;

namespace Smae.Benchmarks;

/// <summary>What one side of a comparison does, as both sides read it from JSON.</summary>
internal sealed record SideSettings
{
    public static JsonSerializerOptions Json { get; } = new(JsonSerializerDefaults.Web);

    /// <summary>
    /// train, smae (train with a critic) or encode; Smae only: onnx and onnx-int8 (encode with ONNX Runtime), batch (what a step of
    /// training is given, without the step), matmul (products of square matrices).
    /// </summary>
    public required string Job { get; init; }

    /// <summary>PyTorch only: whether it gets the settings that Smae finds by itself.</summary>
    public bool Tuned { get; init; } = true;

    /// <summary>Whether matrix products run in bfloat16.</summary>
    public bool Bf16 { get; init; }

    /// <summary>Steps in a round.</summary>
    public int Steps { get; init; } = 4;

    /// <summary>Images in a step.</summary>
    public int Batch { get; init; } = 128;

    /// <summary>Smae's training only: parts that a batch is worked through in, one after the other.</summary>
    public int Accumulation { get; init; } = 1;

    /// <summary>Smae's training only: whether it is sampled what of it is managed code.</summary>
    public bool Sampled { get; init; }

    /// <summary>matmul only: height and width of the matrices.</summary>
    public int Side { get; init; } = 2048;

    /// <summary>Share of the patches that is hidden.</summary>
    public double Ratio { get; init; } = 0.75;

    /// <summary>Smae only: whether training flips, crops and resizes images at random, as facebookresearch/mae's pretraining does.</summary>
    public bool Augment { get; init; }

    /// <summary>cpu or cuda.</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>PyTorch only: whether the model goes through <c>torch.compile</c>.</summary>
    public bool Compile { get; init; }

    /// <summary>Threads of a tuned PyTorch.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    public ModelShape Model { get; init; } = ModelShape.VitLite;
}
