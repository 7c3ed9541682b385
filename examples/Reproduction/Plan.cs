using Smae.Training;

namespace Reproduction;

/// <summary>All settings of the experiment at one scale, but for seed, number format and folders: <see cref="Plans"/> has them.</summary>
internal sealed record Plan
{
    /// <summary>Training of the critic on the labels of the first set.</summary>
    public required SupervisedOptions CriticTraining { get; init; }

    /// <summary>MAE with random masking. Where a scale names no other, every method changes it with <c>with</c>: all have its encoder and budget.</summary>
    public required MaePretrainOptions Mae { get; init; }

    /// <summary>The linear probe on Tiny ImageNet.</summary>
    public required LinearProbeOptions Probe { get; init; }

    /// <summary>Fine-tuning of a pretrained encoder.</summary>
    public required FineTuneOptions TinyImageNet { get; init; }

    /// <inheritdoc cref="TinyImageNet"/>
    public required FineTuneOptions Cub { get; init; }

    /// <summary>Training from scratch: as long as the fine-tuning, with the learning rate that is best for it.</summary>
    public required FineTuneOptions ScratchTinyImageNet { get; init; }

    /// <inheritdoc cref="ScratchTinyImageNet"/>
    public required FineTuneOptions ScratchCub { get; init; }

    /// <summary>DINO.</summary>
    public required MaePretrainOptions Dino { get; init; }

    /// <summary>Pretraining of DMAE's teacher, a larger MAE; null at a scale where a published one is asked for.</summary>
    public required MaePretrainOptions? TeacherTraining { get; init; }

    /// <summary>The blocks that MFF fuses.</summary>
    public required BlockList Fused { get; init; }

    /// <summary>PixMIM.</summary>
    public MaePretrainOptions PixMim
    {
        get => field ?? Mae with { Objective = Objective.LowPassPixel(normalizePatches: false) };
        init;
    }

    /// <summary>MFF with MAE's pixels.</summary>
    public MaePretrainOptions Mff
    {
        get => field ?? Mae with { Encoder = Mae.Encoder with { Fusion = Fused } };
        init;
    }

    /// <summary>SdAE.</summary>
    public MaePretrainOptions Sdae
    {
        get => field ?? Mae with { Objective = Objective.SelfDistilledFeatures() };
        init;
    }

    /// <summary>What DMAE has beside its objective.</summary>
    public MaePretrainOptions Distilling
    {
        get => field ?? Mae;
        init;
    }

    /// <summary>The trained critic's file.</summary>
    public string Critic { get; init; } = "";

    /// <summary>The teacher's file.</summary>
    public string Teacher { get; init; } = "";

    /// <summary>DMAE as published (Bai et al. 2023).</summary>
    public MaePretrainOptions Dmae => Distilling with { Objective = Objective.DistilledFeatures(Teacher, TeacherShape) };

    /// <summary>DMAE as Garcia, Senel and Frantzolas have it.</summary>
    public MaePretrainOptions RawDmae => Distilling with { Objective = Objective.DistilledRawFeatures(Teacher, TeacherShape) };

    /// <summary>A file without a JSON file beside it is none of ours: it holds what MAE's authors published, their ViT-L.</summary>
    private VisionTransformerConfig? TeacherShape =>
        File.Exists(Path.ChangeExtension(Teacher, ".json")) ? null : VisionTransformerConfig.VitLarge16;

    /// <summary>SMAE with random masking.</summary>
    /// <param name="alpha">Weight of the critic's features.</param>
    public MaePretrainOptions Smae(double alpha) => Mae with { Objective = Objective.Semantic(alpha, Critic) };
}
