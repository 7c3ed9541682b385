using Smae.Export;
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

    /// <summary>The row of random weights.</summary>
    public const string Untrained = "none";

    private const string Random = "random 75%", Block = "block 50%";
    private static readonly Masking s_block = Smae.Training.Masking.Block(0.5);

    /// <summary>What must be trained first.</summary>
    public Helper Helper { get; init; }

    /// <summary>Whether it is left out unless it is asked for.</summary>
    public bool Optional { get; init; }

    public static IReadOnlyList<Method> All { get; } =
    [
        new(Untrained, "from scratch", "", null),
        new(Baseline, "MAE", Random, plan => plan.Mae),
        new("mae-block", "MAE", Block, plan => plan.Mae with { Masking = s_block }),
        new("smae-random", "SMAE 0.5", Random, plan => plan.Smae(0.5)) { Helper = Helper.Critic },
        new("smae-block", "SMAE 0.5", Block, plan => plan.Smae(0.5) with { Masking = s_block }) { Helper = Helper.Critic },
        new("smae1-random", "SMAE 1.0", Random, plan => plan.Smae(1)) { Helper = Helper.Critic, Optional = true },
        new("smae1-block", "SMAE 1.0", Block, plan => plan.Smae(1) with { Masking = s_block }) { Helper = Helper.Critic, Optional = true },
        new("pixmim", "PixMIM", Random, plan => plan.PixMim),
        new("mff", "MFF (MAE)", Random, plan => plan.Mff),
        new("mff-smae", "MFF (SMAE 0.5)", Random, p => p.Mff with { Objective = p.Smae(0.5).Objective }) { Helper = Helper.Critic, Optional = true },
        new("mff-pixmim", "MFF (PixMIM)", Random, plan => plan.Mff with { Objective = plan.PixMim.Objective }) { Optional = true },
        new("dmae", "DMAE", Random, plan => plan.Dmae) { Helper = Helper.Teacher },
        new("dmae-raw", "DMAE, raw features", Random, plan => plan.RawDmae) { Helper = Helper.Teacher, Optional = true },
        new("distil", "distilled", "", plan => plan.Distilled(plan.Teacher)) { Helper = Helper.Teacher },
        new("distil-tuned", "distilled, tuned teacher", "", plan => plan.Distilled(plan.TunedTeacher)) { Helper = Helper.TunedTeacher, Optional = true },
        new("sdae", "SdAE", Random, plan => plan.Sdae),
        new("simmim", "SimMIM", "squares 60%", plan => plan.SimMim),
        new("maskfeat", "MaskFeat", "block-wise 40%", plan => plan.MaskFeat),
        new("data2vec", "data2vec", "block-wise 61%", plan => plan.Data2Vec),
        new("bootmae", "BootMAE", "block-wise 75%", plan => plan.BootMae),
        new("dino", "DINO", "", plan => plan.Dino),
        new("ibot", "iBOT", "block-wise 10-50%", plan => plan.IBot),
    ];
}

/// <summary>A model that a method learns from and that must be there before it.</summary>
internal enum Helper
{
    None,
    Critic,   // SMAE's SqueezeNet, trained on labels
    Teacher,   // DMAE's larger autoencoder
    TunedTeacher,   // the same, fine-tuned on the labels of the first set
}

/// <summary>All settings of the experiment at one scale, but for seed, number format and folders: <see cref="Plans"/> has them.</summary>
internal sealed record Plan
{
    public required SupervisedOptions CriticTraining { get; init; }   // on the labels of the first set
    public required MaePretrainOptions Mae { get; init; }   // random masking; where a scale names no other, all methods change this one
    public required LinearProbeOptions Probe { get; init; }
    public required FineTuneOptions TinyImageNet { get; init; }   // of a pretrained encoder
    public required FineTuneOptions Cub { get; init; }
    public required FineTuneOptions ScratchTinyImageNet { get; init; }   // as long as the fine-tuning, with the learning rate that is best for it
    public required FineTuneOptions ScratchCub { get; init; }
    public required MaePretrainOptions Dino { get; init; }
    public required MaePretrainOptions? TeacherTraining { get; init; }   // of DMAE's teacher, a larger MAE; null where a published one is asked for
    public required BlockList Fused { get; init; }   // by MFF
    public MaePretrainOptions PixMim { get => field ?? Mae with { Objective = Objective.LowPassPixel(normalizePatches: false) }; init; }
    public MaePretrainOptions Mff { get => field ?? Mae with { Encoder = Mae.Encoder with { Fusion = Fused } }; init; }
    public MaePretrainOptions Sdae { get => field ?? Mae with { Objective = Objective.SelfDistilledFeatures() }; init; }
    public MaePretrainOptions SimMim { get => field ?? Mae with { Masking = Masking.Squares(0.6, side: 2), Objective = Objective.SimMim() }; init; }
    public MaePretrainOptions MaskFeat { get => field ?? Mae with { Masking = Masking.BlockWise(0.4), Objective = Objective.MaskFeat() }; init; }
    public MaePretrainOptions Data2Vec { get => field ?? Mae with { Masking = Masking.BlockWise(0.61), Objective = Objective.Data2Vec() }; init; }
    public MaePretrainOptions BootMae
    {
        get => field ?? Mae with { Masking = Masking.BlockWise(0.75, minPatches: 16, maxPatches: 60, inRectangles: 0.61), Objective = Objective.BootMae() };
        init;
    }
    public MaePretrainOptions IBot { get => field ?? Dino with { Objective = Patchwise((DinoObjective)Dino.Objective) }; init; }
    public MaePretrainOptions Distilling { get => field ?? Mae; init; }   // what DMAE has beside its objective
    public MaePretrainOptions LookingAtAll { get => field ?? Mae; init; }   // what distillation by whole images has beside its objective

    /// <summary>iBOT with DINO's settings, as far as they are settings of both.</summary>
    private static IBotObjective Patchwise(DinoObjective dino) => Objective.IBot() with
    {
        OutputDim = dino.OutputDim, HiddenDim = dino.HiddenDim, BottleneckDim = dino.BottleneckDim, GlobalCropScale = dino.GlobalCropScale,
        LocalCrops = dino.LocalCrops, LocalCropScale = dino.LocalCropScale, LocalCropSide = dino.LocalCropSide, TeacherMomentum = dino.TeacherMomentum,
        WarmupTeacherTemperature = dino.WarmupTeacherTemperature, TeacherTemperature = dino.TeacherTemperature, KeepTeacher = dino.KeepTeacher,
        TeacherTemperatureWarmupEpochs = dino.TeacherTemperatureWarmupEpochs,
    };

    /// <summary>The trained critic's file.</summary>
    public string Critic { get; init; } = "";

    /// <summary>The teacher's file.</summary>
    public string Teacher { get; init; } = "";

    /// <summary>The file of the teacher that was fine-tuned.</summary>
    public string TunedTeacher { get; init; } = "";

    /// <summary>Distillation from a teacher of any make.</summary>
    public MaePretrainOptions Distilled(string teacher) => LookingAtAll with { Objective = Objective.DistilledFrom(teacher) };

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

/// <summary>How large the experiment is.</summary>
internal enum Scale
{
    Small,   // a small encoder, 32x32 images and few epochs: for subsets of some 20 classes on two processor cores
    Paper,   // the SMAE paper's own sizes and schedules: for the whole data sets on a GPU
    ImageNet,   // the other papers' own sizes and schedules, ViT-B/16 on ImageNet: for weeks on a large GPU
    Smoke,   // a minute's run that learns nothing: shows that everything works
}

/// <summary>The settings at each scale.</summary>
internal static class Plans
{
    private const int ImagesAtOnce = 128;   // of 224x224 pixels, through a ViT-B, in some 20 GB of GPU memory

    public static Plan Of(Scale scale) => scale switch
    {
        Scale.Paper => Paper,
        Scale.ImageNet => ImageNet,
        Scale.Small => Small,
        _ => Smoke,
    };

    /// <summary>The SMAE paper's. It has MAE, SMAE and DINO; the other methods get MAE's budget, as all of them have at the small scale.</summary>
    private static Plan Paper => new()
    {
        CriticTraining = Recipes.SmaeCritic, Mae = Recipes.SmaePaperMaePretrain, Probe = Recipes.SmaeLinearProbe,
        TinyImageNet = Recipes.SmaeFineTuneTinyImageNet, Cub = Recipes.SmaeFineTuneCub,
        ScratchTinyImageNet = Recipes.SmaeScratchTinyImageNet, ScratchCub = Recipes.SmaeScratchCub,
        Dino = Recipes.SmaePaperDinoPretrain, Fused = [0, 2, 4, 6],
        TeacherTraining = Recipes.SmaePaperMaePretrain with
        {
            Encoder = VisionTransformerConfig.VitLite7_4 with { EmbedDim = 384, Depth = 12, NumHeads = 6 },
        },
    };

    /// <summary>
    /// The other methods' own: a ViT-B/16 on ImageNet, fine-tuned as MAE is. From scratch it is trained as in MAE's appendix (A.2), but without the
    /// average of its weights that the appendix has beside.
    /// </summary>
    private static Plan ImageNet
    {
        get
        {
            VisionTransformerConfig encoder = VisionTransformerConfig.VitBase16;
            FineTuneOptions scratch = InParts(Recipes.MaeFineTuneBase(batchSize: 4096)) with
            {
                Architecture = encoder, LayerDecay = 1, LearningRate = 1e-4 * 4096 / 256, Epochs = 300, WarmupEpochs = 20, WeightDecay = 0.3,
                Beta2 = 0.95,
            };
            return new()
            {
                CriticTraining = Recipes.SmaeCritic, Mae = InParts(Recipes.MaePretrain(encoder)), Probe = Recipes.MaeLinearProbe(),
                TinyImageNet = InParts(Recipes.MaeFineTuneBase()), Cub = InParts(Recipes.MaeFineTuneBase(batchSize: 256)),
                ScratchTinyImageNet = scratch,
                ScratchCub = InParts(Recipes.MaeFineTuneBase(batchSize: 256)) with { Architecture = encoder, LayerDecay = 1 },
                PixMim = InParts(Recipes.PixMimPretrain(encoder)), Mff = InParts(Recipes.MffPretrain()),
                Sdae = InParts(Recipes.SdaePretrain(encoder)), Distilling = InParts(Recipes.DmaePretrain(teacher: "")),
                SimMim = InParts(Recipes.SimMimPretrain(encoder)), MaskFeat = InParts(Recipes.MaskFeatPretrain(encoder)),
                Data2Vec = InParts(Recipes.Data2VecPretrain(encoder)), Dino = InParts(Recipes.DinoPretrain(encoder), views: 4),
                BootMae = InParts(Recipes.BootMaePretrain(encoder)), IBot = InParts(Recipes.IBotPretrain(encoder), views: 4),
                TeacherTraining = null, Fused = [0, 2, 4, 6, 8, 11],
            };
        }
    }

    private static Plan Small
    {
        get
        {
            VisionTransformerConfig encoder = VisionTransformerConfig.VitTiny16.ForImages(32, patchSize: 8) with
            {
                EmbedDim = 128, Depth = 4, NumHeads = 4, DefaultDecoder = DecoderConfig.Mae with { EmbedDim = 64, Depth = 1, NumHeads = 4 },
            };
            var fineTune = new FineTuneOptions
            {
                Epochs = 3, BatchSize = 64, LearningRate = 1e-3, WarmupEpochs = 0.5, KeepBest = false,
                Augmentation = Augmentation.HorizontalFlip().Then(Augmentation.RandomResizedCrop(0.6)),
            };
            FineTuneOptions cub = fineTune with { Epochs = 24, WarmupEpochs = 3 };
            var mae = new MaePretrainOptions
            {
                Encoder = encoder, Objective = Objective.Pixel(), Epochs = 6, BatchSize = 64, LearningRate = 2e-3, WarmupEpochs = 0.5, WeightDecay = 0.05,
            };
            return new()
            {
                CriticTraining = new SupervisedOptions
                {
                    // At 1e-3 after a warm-up of one epoch all logits, which end in a ReLU, died: the loss stayed that of guessing, ln 20.
                    Epochs = 10, BatchSize = 64, LearningRate = 5e-4, WarmupEpochs = 2, KeepBest = false,
                    Augmentation = Augmentation.HorizontalFlip(),
                },
                // The SMAE paper's probe, 1e-3 without batch normalisation, is far from done after 50 epochs.
                Probe = new LinearProbeOptions { BatchNorm = true, BatchSize = 1024, LearningRate = 1e-2, Epochs = 100, KeepBest = false },
                Mae = mae, TinyImageNet = fineTune, Cub = cub,
                // From scratch 5e-4, 1e-3 and 2e-3 were tried, once each, with patches of 4 and 6 blocks: Tiny ImageNet 34.7, 37.2 and 35.9%, CUB 37.7, 42.1 and 47.1%.
                ScratchTinyImageNet = fineTune with { Architecture = encoder },
                ScratchCub = cub with { Architecture = encoder, LearningRate = 2e-3 },
                Fused = [0, 1, 2, 3],
                TeacherTraining = mae with { Encoder = encoder with { EmbedDim = 192, Depth = 6, NumHeads = 6 } },
                LookingAtAll = mae with { Epochs = 4 },
                PixMim = mae with { Objective = Objective.LowPassPixel() },
                // Trials with the first seed, against random weights' probe of 25.8%: squares of 2x2 of the 4x4 patches and batches of 128 gave 25.2.
                SimMim = mae with { Masking = Masking.Squares(0.6, side: 1), Objective = Objective.SimMim() },
                MaskFeat = mae with { Masking = Masking.BlockWise(0.4, minPatches: 5), Objective = Objective.MaskFeat() },
                Data2Vec = mae with
                {
                    LearningRate = 1e-3, Augmentation = fineTune.Augmentation, Masking = Masking.BlockWise(0.61, minPatches: 2),
                    Objective = Objective.Data2Vec() with { TopBlocks = 4, Momentum = 0.99 },
                },
                BootMae = mae with
                {
                    Masking = Masking.BlockWise(0.75, minPatches: 5, maxPatches: 20, inRectangles: 0.61), Objective = Objective.BootMae() with { Momentum = 0.99 },
                },
                Dino = mae with
                {
                    // An image of DINO's costs as much as ten of MAE's: fewer epochs, as in the SMAE paper. The probe is better on the mean of the patches
                    // (27.6% after these epochs) than on the class token (25.8).
                    Epochs = 4, LearningRate = 1e-3, WarmupEpochs = 0.5, WeightDecay = 0.04, FinalWeightDecay = 0.4, Beta2 = 0.999,
                    Objective = new DinoObjective
                    {
                        OutputDim = 1024, HiddenDim = 512, BottleneckDim = 128, LocalCrops = 2, LocalCropSide = 0.5, TeacherMomentum = 0.99,
                        GlobalCropScale = (0.25, 1), LocalCropScale = (0.05, 0.25),
                    },
                },
            };
        }
    }

    private static Plan Smoke
    {
        get
        {
            VisionTransformerConfig encoder = VisionTransformerConfig.VitTiny16.ForImages(24, patchSize: 4) with
            {
                EmbedDim = 16, Depth = 1, NumHeads = 2, DefaultDecoder = DecoderConfig.Mae with { EmbedDim = 16, Depth = 1, NumHeads = 2 },
            };
            Plan small = Small;
            FineTuneOptions fineTune = small.TinyImageNet with { Epochs = 2, BatchSize = 8 };
            MaePretrainOptions Tiny(MaePretrainOptions options) => options with { Encoder = encoder, Epochs = 2, BatchSize = 8 };
            return small with
            {
                CriticTraining = small.CriticTraining with { Epochs = 2, BatchSize = 8 },
                Mae = Tiny(small.Mae), Probe = small.Probe with { Epochs = 2 },
                TinyImageNet = fineTune, Cub = fineTune,
                ScratchTinyImageNet = fineTune with { Architecture = encoder }, ScratchCub = fineTune with { Architecture = encoder },
                Fused = [0], PixMim = Tiny(small.PixMim), SimMim = Tiny(small.SimMim), MaskFeat = Tiny(small.MaskFeat),
                Data2Vec = Tiny(small.Data2Vec) with { Objective = Objective.Data2Vec() with { TopBlocks = 1, Momentum = 0.9 } },
                BootMae = Tiny(small.BootMae),
                TeacherTraining = Tiny(small.Mae) with { Encoder = encoder with { EmbedDim = 32 } },
                LookingAtAll = Tiny(small.Mae),
                Dino = Tiny(small.Dino) with
                {
                    Objective = (DinoObjective)small.Dino.Objective with { OutputDim = 16, HiddenDim = 16, BottleneckDim = 8 },
                },
            };
        }
    }

    /// <summary>The same batch in parts that fit into a GPU's memory.</summary>
    /// <param name="options">Settings with a batch as published, often for many GPUs.</param>
    /// <param name="views">How many images an image counts for.</param>
    private static T InParts<T>(T options, int views = 1) where T : TrainingOptions =>
        (T)((TrainingOptions)options with { AccumulationSteps = Math.Max(1, options.BatchSize * views / ImagesAtOnce) });
}
