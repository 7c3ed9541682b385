using Smae.Training;

namespace Reproduction;

/// <summary>A row of the table: a way to pretrain. Another one is another line of <see cref="All"/>.</summary>
/// <param name="Key">Its name on the command line and its folder's.</param>
/// <param name="Name">Its name in the table.</param>
/// <param name="Masking">What is hidden, as the table has it.</param>
/// <param name="Pretraining">How it pretrains, at the scale of a plan; null is not at all.</param>
internal sealed record Method(string Key, string Name, string Masking, Func<Plan, MaePretrainOptions>? Pretraining)
{
    /// <summary>The row that the cost of the others is measured by.</summary>
    public const string Baseline = "mae-random";

    private const string Random = "random 75%", Block = "block 50%";
    private static readonly Masking s_block = Smae.Training.Masking.Block(0.5);

    /// <summary>What must be trained first.</summary>
    public Helper Helper { get; init; } = Helper.None;

    /// <summary>Whether it is left out unless it is asked for.</summary>
    public bool Optional { get; init; }

    public static IReadOnlyList<Method> All { get; } =
    [
        new("none", "from scratch", "", null),
        new(Baseline, "MAE", Random, plan => plan.Mae),
        new("mae-block", "MAE", Block, plan => plan.Mae with { Masking = s_block }),
        new("smae-random", "SMAE 0.5", Random, plan => plan.Smae(0.5)) { Helper = Helper.Critic },
        new("smae-block", "SMAE 0.5", Block, plan => plan.Smae(0.5) with { Masking = s_block }) { Helper = Helper.Critic },
        new("smae1-random", "SMAE 1.0", Random, plan => plan.Smae(1)) { Helper = Helper.Critic, Optional = true },
        new("smae1-block", "SMAE 1.0", Block, plan => plan.Smae(1) with { Masking = s_block }) { Helper = Helper.Critic, Optional = true },
        new("pixmim", "PixMIM", Random, plan => plan.PixMim),
        new("mff", "MFF (MAE)", Random, plan => plan.Mff),
        new("mff-smae", "MFF (SMAE 0.5)", Random, plan => plan.Mff with { Objective = plan.Smae(0.5).Objective })
        {
            Helper = Helper.Critic, Optional = true,
        },
        new("mff-pixmim", "MFF (PixMIM)", Random, plan => plan.Mff with { Objective = plan.PixMim.Objective }) { Optional = true },
        new("dmae", "DMAE", Random, plan => plan.Dmae) { Helper = Helper.Teacher },
        new("dmae-raw", "DMAE, raw features", Random, plan => plan.RawDmae) { Helper = Helper.Teacher, Optional = true },
        new("sdae", "SdAE", Random, plan => plan.Sdae),
        new("dino", "DINO", "", plan => plan.Dino),
    ];
}

/// <summary>A model that a method learns from and that must be there before it.</summary>
internal enum Helper
{
    None,

    /// <summary>SMAE's SqueezeNet, trained on labels.</summary>
    Critic,

    /// <summary>DMAE's larger autoencoder.</summary>
    Teacher,
}

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
