using Smae.Training;

namespace Smae.Export;

/// <summary>How a model is written as ONNX.</summary>
public sealed record OnnxExportOptions
{
    /// <summary>
    /// What an encoder's file gives. Default <see cref="OnnxOutput.Pooled"/>. Classifiers and autoencoders have no choice: leave it.
    /// </summary>
    public OnnxOutput Output { get; init; } = OnnxOutput.Pooled;

    /// <summary>What the file takes for an image. Default <see cref="OnnxInput.Bytes"/>.</summary>
    public OnnxInput Input { get; init; } = OnnxInput.Bytes;

    /// <summary>The number format of weights and products. Default <see cref="OnnxPrecision.Float32"/>.</summary>
    public OnnxPrecision Precision { get; init; } = OnnxPrecision.Float32;

    /// <summary>Which operators are used. Default <see cref="OnnxFlavor.Fastest"/>.</summary>
    public OnnxFlavor Flavor { get; init; } = OnnxFlavor.Fastest;

    /// <summary>Name of the file's input of images. Default <c>images</c>.</summary>
    public string InputName { get; init; } = "images";

    /// <summary>
    /// Name of the file's main output; null takes <c>embedding</c> or <c>tokens</c> for an encoder, <c>probabilities</c> for a classifier (whose
    /// other output is <c>logits</c>) and <c>reconstruction</c> for an autoencoder. Default null.
    /// </summary>
    public string? OutputName { get; init; }

    /// <summary>
    /// The largest difference allowed between what ONNX Runtime and TorchSharp in float32 give, as a share of the output's largest magnitude. Null
    /// takes 1e-4 for <see cref="OnnxPrecision.Float32"/>, 1e-2 for <see cref="OnnxPrecision.Float16"/> and 0.1 for <see cref="OnnxPrecision.Int8"/>,
    /// where the single worst number says little: look at the agreement of classes, or probe the embeddings. Default null.
    /// </summary>
    public double? Tolerance { get; init; }

    /// <summary>
    /// Images that the file is proven on, all of them, besides the random ones that it always is. They stay the caller's. Default null: none.
    /// </summary>
    public ImageStore? ProofImages { get; init; }

    /// <summary>The tolerance in force.</summary>
    internal double EffectiveTolerance => Tolerance ?? Precision switch { OnnxPrecision.Float32 => 1e-4, OnnxPrecision.Float16 => 1e-2, _ => 0.1 };

    internal IEnumerable<string> Faults(ImagePreprocessing preprocessing)
    {
        string?[] unknown =
            [Unknown(nameof(Output), Output), Unknown(nameof(Input), Input), Unknown(nameof(Precision), Precision), Unknown(nameof(Flavor), Flavor)];
        foreach (string? fault in unknown)
            if (fault is not null) yield return fault;
        if (string.IsNullOrWhiteSpace(InputName)) yield return "InputName is empty.";
        if (OutputName is not null && string.IsNullOrWhiteSpace(OutputName)) yield return "OutputName is blank: expected a name, or null.";
        if (OutputName is not null && OutputName == InputName) yield return $"InputName and OutputName are both '{InputName}': expected two names.";
        if (Tolerance is not null and not (> 0 and < double.PositiveInfinity))
            yield return $"Tolerance is {Tolerance}: expected a positive number.";
        ImagePreprocessing p = preprocessing;
        if (ProofImages is { } images && (images.Height, images.Width, images.Channels) != (p.Height, p.Width, p.Channels))
            yield return $"ProofImages are {images.Height}x{images.Width} with {images.Channels} channels: "
                + $"the model expects {p.Height}x{p.Width} with {p.Channels}.";
    }

    private static string? Unknown<T>(string name, T value) where T : struct, Enum =>
        Enum.IsDefined(value) ? null : $"{name} is {value}: expected one of {string.Join(", ", Enum.GetNames<T>())}.";
}
