using System.Security.Cryptography;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>
/// DMAE, distillation from a masked autoencoder ("Masked Autoencoders Enable Efficient Knowledge Distillers", Bai et al. 2023): the pixel loss,
/// plus the mean absolute difference between features of the encoder and of a frozen, larger teacher that sees the same visible patches. Features
/// are the residual stream right after a block, not normalised by the encoder's norm; the class token counts where both encoders have one. A linear
/// head brings the encoder's to the teacher's width.
/// </summary>
public sealed record DistillationObjective : Objective
{
    internal DistillationObjective(string teacher, VisionTransformerConfig? architecture)
    {
        ArgumentNullException.ThrowIfNull(teacher);
        (Teacher, Architecture) = (teacher, architecture);
    }

    /// <summary>
    /// The teacher's weights: a safetensors file as <see cref="ImageEncoder.Save"/> writes it, or as published for timm or facebookresearch/mae.
    /// Blocks after the last that is needed may be missing.
    /// </summary>
    public string Teacher { get; }

    /// <summary>
    /// The shape of the teacher, for images of the size that it was trained on; null takes that of the JSON file beside its weights.
    /// </summary>
    public VisionTransformerConfig? Architecture { get; }

    /// <summary>
    /// The encoder's blocks whose features are compared, counted from 0; null is the one at three quarters of the depth, block 8 of 12. Default null.
    /// </summary>
    public BlockList? StudentBlocks { get; init; }

    /// <summary>
    /// The teacher's blocks, one for each of the encoder's; null is the one at three quarters of the depth, block 17 of 24. Default null.
    /// </summary>
    public BlockList? TeacherBlocks { get; init; }

    /// <summary>How the encoder's features are brought to the teacher's width. Default <see cref="FeatureProjection.Linear"/>.</summary>
    public FeatureProjection Projection { get; init; } = FeatureProjection.Linear;

    /// <summary>Whether the features of each token are divided by their L2 norm before they are compared. Default true.</summary>
    public bool NormalizeFeatures { get; init; } = true;

    /// <summary>What the difference of the features is multiplied by. Default 1.</summary>
    public double Weight { get; init; } = 1;

    /// <summary>The pixel loss. Default that of raw pixels over hidden patches, as in the paper's code.</summary>
    public PixelObjective Pixels { get; init; } = Pixel(normalizePatches: false);

    internal override string Identity
    {
        get
        {
            using FileStream weights = File.OpenRead(Teacher);
            return $"{this} {Convert.ToHexStringLower(SHA256.HashData(weights))}";   // a file keeps its name when another teacher is saved there
        }
    }

    internal override IEnumerable<string> Faults(MaePretrainOptions options)
    {
        foreach (string fault in StudentBlocks?.Faults("Objective.StudentBlocks", options.Encoder.Depth) ?? []) yield return fault;
        foreach (string fault in FrozenTeacher.Faults(Teacher, Architecture, options.Encoder, TeacherBlocks)) yield return fault;
        (int student, int teacher) = (StudentBlocks?.Count ?? 1, TeacherBlocks?.Count ?? 1);
        if (student != teacher)
            yield return $"Objective.StudentBlocks and Objective.TeacherBlocks name {student} and {teacher} blocks: expected one for each other.";
        if (!(Weight > 0) || !double.IsFinite(Weight)) yield return $"Objective.Weight is {Weight}: expected a positive number.";
        if (Pixels is null) yield return "Objective.Pixels is null.";
    }

    /// <inheritdoc/>
    public override Tensor ToPixels(Reconstruction reconstruction) => Pixels.ToPixels(reconstruction);

    /// <inheritdoc/>
    /// <exception cref="InvalidDataException">The teacher's file is damaged or does not fit; the message names each tensor.</exception>
    public override ObjectiveRun Begin(MaskedAutoencoder model, MaePretrainOptions options, Device device) =>
        new DistillationRun(this, model, options, device);
}
