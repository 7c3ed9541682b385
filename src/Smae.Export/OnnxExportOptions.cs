using System.ComponentModel.DataAnnotations;
using Smae.Training;

namespace Smae.Export;

/// <summary>How a model is written as ONNX.</summary>
public sealed record OnnxExportOptions
{
    /// <summary>What an encoder's file gives. Default <see cref="OnnxOutput.Pooled"/>; other models have no choice.</summary>
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
    /// Name of the file's main output. Default null: <c>embedding</c> or <c>tokens</c> of an encoder, <c>probabilities</c> of a classifier (whose
    /// other output is <c>logits</c>), <c>reconstruction</c> of an autoencoder.
    /// </summary>
    public string? OutputName { get; init; }

    /// <summary>
    /// The largest difference allowed between what ONNX Runtime and TorchSharp in float32 give, as a share of the output's largest magnitude. Null
    /// takes 1e-4 for <see cref="OnnxPrecision.Float32"/>, 1e-2 for <see cref="OnnxPrecision.Float16"/> and 0.1 for <see cref="OnnxPrecision.Int8"/>,
    /// where the single worst number says little: look at the agreement of classes, or probe the embeddings. Default null.
    /// </summary>
    [Range(0, double.PositiveInfinity, MinimumIsExclusive = true, MaximumIsExclusive = true)]
    public double? Tolerance { get; init; }

    /// <summary>Images that the file is proven on, besides the random ones that it always is; they stay the caller's. Default null: none.</summary>
    public ImageStore? ProofImages { get; init; }

    internal double EffectiveTolerance => Tolerance ?? Precision switch { OnnxPrecision.Float32 => 1e-4, OnnxPrecision.Float16 => 1e-2, _ => 0.1 };

    internal IEnumerable<string> Faults(ImagePreprocessing preprocessing)
    {
        foreach (string fault in Rules.Faults(this)) yield return fault;
        if (string.IsNullOrWhiteSpace(InputName)) yield return "InputName is empty.";
        if (OutputName is not null && string.IsNullOrWhiteSpace(OutputName)) yield return "OutputName is blank: expected a name, or null.";
        if (OutputName is not null && OutputName == InputName) yield return $"InputName and OutputName are both '{InputName}': expected two names.";
        ImagePreprocessing p = preprocessing;
        if (ProofImages is { } i && (i.Height, i.Width, i.Channels) != (p.Height, p.Width, p.Channels))
            yield return $"ProofImages are {i.Height}x{i.Width}x{i.Channels}: the model expects {p.Height}x{p.Width}x{p.Channels}.";
    }
}

/// <summary>What an encoder's ONNX file gives for an image.</summary>
public enum OnnxOutput
{
    /// <summary>The embedding, pooled as the encoder's own <c>Pooling</c> says: <c>[batch, dim]</c>.</summary>
    Pooled,

    /// <summary>The mean over the tokens of all patches: <c>[batch, dim]</c>.</summary>
    Mean,

    /// <summary>The class token: <c>[batch, dim]</c>.</summary>
    ClassToken,

    /// <summary>All tokens, the class token where the encoder has it: <c>[batch, tokens, dim]</c>.</summary>
    Tokens,
}

/// <summary>What an ONNX file takes for an image.</summary>
public enum OnnxInput
{
    /// <summary>Raw pixels, uint8, <c>[batch, height, width, channels]</c>, as decoders give them; the file normalises them.</summary>
    Bytes,

    /// <summary>Raw pixels, uint8, <c>[batch, channels, height, width]</c>; the file normalises them.</summary>
    PlanarBytes,

    /// <summary>Normalised pixels, float32, <c>[batch, channels, height, width]</c>: <c>(byte / 255 - mean) / deviation</c>.</summary>
    NormalizedPlanes,
}

/// <summary>The number format of an ONNX file's weights and matrix products. Inputs and outputs are the same in all of them.</summary>
public enum OnnxPrecision
{
    /// <summary>32-bit floating point throughout: agrees with TorchSharp to a few units of the last place.</summary>
    Float32,

    /// <summary>
    /// Weight matrices and products in 16-bit floating point, all else in float32. Half the file, and what GPUs are fastest at. A CPU without 16-bit
    /// products computes in float32 on the 16-bit weights.
    /// </summary>
    Float16,

    /// <summary>
    /// The products of all transformer blocks in 8-bit integers, all else in float32. Activations get one scale for a whole batch (dynamic
    /// quantisation): what an image gives depends a little on the other images of its batch. A quarter of the file; meant for CPUs.
    /// </summary>
    Int8,
}

/// <summary>Which operators an ONNX file is made of.</summary>
public enum OnnxFlavor
{
    /// <summary>ONNX Runtime's own fused operators (domain <c>com.microsoft</c>) included: only ONNX Runtime reads such a file.</summary>
    Fastest,

    /// <summary>Standard operators of ONNX opset 17 only: for any runtime.</summary>
    Portable,
}
