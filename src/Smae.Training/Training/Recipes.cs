using System.Numerics;

namespace Smae.Training;

/// <summary>
/// Settings of published work, as values to take and change: <c>Recipes.SmaeFineTuneCub with { Encoder = encoder, Epochs = 50 }</c>; <see cref="ForImages"/>
/// chooses by how many images you have. Where the source does not give a number, the recipe says what stands in its place. All validate as their sources do
/// and, as they do, end with the weights of the last epoch. Large batches fit into memory in parts: see <see cref="TrainingOptions.AccumulationSteps"/>. A batch
/// that is not positive is refused by an ArgumentOutOfRangeException.
/// </summary>
public static class Recipes
{
    /// <summary>
    /// Pretraining with SMAE (Charisoudis et al. 2023): ViT-Lite-7/4, 64x64 images, 75% hidden at random, AdamW at 5e-4, weight decay 0.15, betas 0.9/0.95,
    /// batch 128, 20 of 400 epochs of warm-up, cosine to 0, no augmentation. Block masking is <c>with { Masking = Masking.Block(0.5) }</c>. The authors' code
    /// has a dropout of 0.1 too: <c>with { Encoder = VisionTransformerConfig.VitLite7_4 with { Dropout = 0.1 } }</c>.
    /// </summary>
    /// <param name="critic">Weights of the critic, as <see cref="SqueezeNet.Save"/> writes them.</param>
    /// <param name="alpha">Weight of the critic's features, 0 to 1. Default 0.5, the paper's best.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="alpha"/> is outside [0, 1].</exception>
    public static MaePretrainOptions SmaePretrain(string critic, double alpha = 0.5) =>
        SmaePaperMaePretrain with { Objective = Objective.Semantic(alpha, critic) };

    /// <summary>MAE as the SMAE paper's baseline (its alpha of 0): as <see cref="SmaePretrain"/>, with raw pixels of hidden patches alone.</summary>
    public static MaePretrainOptions SmaePaperMaePretrain { get; } = new()
    {
        Encoder = VisionTransformerConfig.VitLite7_4, Masking = Masking.Random(0.75), Objective = Objective.Pixel(normalizePatches: false),
        Epochs = 400, BatchSize = 128, LearningRate = 5e-4, WarmupEpochs = 20, WeightDecay = 0.15, Beta1 = 0.9, Beta2 = 0.95,
    };

    /// <summary>
    /// Pretraining on your own images, by their number: masked pixels, normalised, 75% hidden, crops of 0.2 to 1, mirrored, and what follows.
    /// <list type="bullet">
    /// <item>Encoder: a ViT-Ti (5.5 M parameters) up to 50,000 images, a ViT-S up to 500,000, a ViT-B up to five million, then a ViT-L. MAE trains B and L on 1.3
    /// million, SMAE 3.7 M parameters on 100,000; on 10,000 a ViT-S was reported to gain little (facebookresearch/mae, issue 19). On a CPU, where time is short
    /// before images are, a ViT-Ti up to 500,000 and a ViT-S beyond.</item>
    /// <item>Patches: the largest that divide the image and leave at least 8 a side, 12 on a GPU: 8 for 64 pixels on a CPU and, as SMAE, 4 on a GPU; 16 for 224, as
    /// MAE.</item>
    /// <item>Decoder: 128 wide with 2 blocks, 256 with 4 for a ViT-S, MAE's from ViT-B on; SDMAE (Mao et al. 2022) finds that on small sets a decoder as MAE's
    /// overfits.</item>
    /// <item>Batch: a sixteenth of the images, a power of two from 32 to 128 on a CPU and to 1,024 on a GPU, which MAE's authors found to work well (issue 32).</item>
    /// <item>Rate: 1e-3 for 256 images for ViT-Ti and ViT-S, as SMAE and SDMAE have for small models and sets, else MAE's 1.5e-4; never more than 2.4e-3, MAE's
    /// own for 4,096. Weight decay 0.05, betas 0.9/0.95, a twentieth of the epochs warm-up, cosine to 0.</item>
    /// <item>Epochs: as many as make 100,000 steps, at least 200 (100 from 100,000 images on, 20 from a million), at most 2,000: what LightlyTrain recommends for
    /// such numbers (MAE took 250,000 steps, SMAE 312,000). That is long: set <see cref="TrainingOptions.TimeBudget"/> too.</item>
    /// <item>Precision: the device's fastest.</item>
    /// </list>
    /// </summary>
    /// <param name="count">How many images there are.</param>
    /// <param name="imageSize">Height and width that they are brought to.</param>
    /// <param name="device">Where training is to run; null is the CPU.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no image, or no patch divides an image of that size.</exception>
    public static MaePretrainOptions ForImages(long count, int imageSize, Device? device = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        bool gpu = device is not null && device.type != DeviceType.CPU;
        VisionTransformerConfig encoder = (count, gpu) switch
        {
            ( < 50_000, _) or ( < 500_000, false) => VisionTransformerConfig.VitTiny16, ( < 500_000, _) or (_, false) => VisionTransformerConfig.VitSmall16,
            ( < 5_000_000, _) => VisionTransformerConfig.VitBase16, _ => VisionTransformerConfig.VitLarge16,
        };
        bool small = encoder.EmbedDim < VisionTransformerConfig.VitBase16.EmbedDim;
        int batch = 1 << BitOperations.Log2((uint)Math.Clamp(count / 16, 32, gpu ? 1024 : 128));
        return new MaePretrainOptions
        {
            Encoder = encoder.ForImages(imageSize, PatchFor(imageSize, leastPerSide: gpu ? 12 : 8)),
            Decoder = !small ? DecoderConfig.Mae : encoder.EmbedDim == VisionTransformerConfig.VitTiny16.EmbedDim
                ? DecoderConfig.Mae with { EmbedDim = 128, Depth = 2, NumHeads = 4 } : DecoderConfig.Mae with { EmbedDim = 256, Depth = 4, NumHeads = 8 },
            Masking = Masking.Random(0.75), Objective = Objective.Pixel(), BatchSize = batch,
            LearningRate = Math.Min(Scaled(small ? 1e-3 : 1.5e-4, batch), Scaled(1.5e-4, 4096)), WeightDecay = 0.05, Beta1 = 0.9, Beta2 = 0.95,
            Epochs = (int)Math.Clamp(100_000L * batch / count, count < 100_000 ? 200 : count < 1_000_000 ? 100 : 20, 2000),
            Augmentation = MaeCropAndFlip(0.2), Precision = Hardware.FastestPrecision(gpu),
        };
    }

    /// <summary>
    /// Fine-tuning on Tiny ImageNet as in the SMAE paper: AdamW at 1e-3, weight decay 0.05, betas 0.9/0.999, batch 128, 5 of 100 epochs of warm-up; mirrored,
    /// cropped (0.6 to 1 of the area), RandAugment(2, 9). Set the encoder.
    /// </summary>
    public static FineTuneOptions SmaeFineTuneTinyImageNet { get; } = new()
    {
        Epochs = 100, BatchSize = 128, LearningRate = 1e-3, WarmupEpochs = 5, WeightDecay = 0.05, Beta1 = 0.9, Beta2 = 0.999, KeepBest = false,
        Augmentation = SmaeAugmentation,
    };

    /// <summary>Fine-tuning on CUB as in the SMAE paper: as <see cref="SmaeFineTuneTinyImageNet"/>, at 5e-4. Set the encoder.</summary>
    public static FineTuneOptions SmaeFineTuneCub { get; } = SmaeFineTuneTinyImageNet with { LearningRate = 5e-4 };

    /// <summary>
    /// Training from scratch on Tiny ImageNet, the SMAE paper's baseline. Its table gives no settings for it: these are those of
    /// <see cref="SmaeFineTuneTinyImageNet"/>, on a ViT-Lite-7/4 with random weights.
    /// </summary>
    public static FineTuneOptions SmaeScratchTinyImageNet { get; } =
        SmaeFineTuneTinyImageNet with { Architecture = VisionTransformerConfig.VitLite7_4 };

    /// <summary>Training from scratch on CUB: as <see cref="SmaeScratchTinyImageNet"/>, with the settings of <see cref="SmaeFineTuneCub"/>.</summary>
    public static FineTuneOptions SmaeScratchCub { get; } = SmaeFineTuneCub with { Architecture = VisionTransformerConfig.VitLite7_4 };

    /// <summary>
    /// Linear probing as in the SMAE paper: Adam at 1e-3, no weight decay, betas 0.9/0.95, 2 of 50 epochs of warm-up, no augmentation. Batch 128 as in all its
    /// other runs; it names no batch normalisation, so there is none.
    /// </summary>
    public static LinearProbeOptions SmaeLinearProbe { get; } = new()
    {
        Epochs = 50, BatchSize = 128, LearningRate = 1e-3, WarmupEpochs = 2, WeightDecay = 0, Beta1 = 0.9, Beta2 = 0.95, KeepBest = false,
    };

    /// <summary>
    /// The critic of the SMAE paper (Table 4), for <see cref="CriticTraining"/>: AdamW at 1e-3, weight decay 0.15, betas 0.9/0.999, batch 128, 10 of 200 epochs
    /// of warm-up, cosine, RandAugment(2, 9); the dropout of 0.5 is part of <see cref="SqueezeNet"/>.
    /// </summary>
    public static SupervisedOptions SmaeCritic { get; } = new()
    {
        Epochs = 200, BatchSize = 128, LearningRate = 1e-3, WarmupEpochs = 10, WeightDecay = 0.15, Beta1 = 0.9, Beta2 = 0.999, KeepBest = false,
        Augmentation = Augmentation.RandAugment(numOps: 2, magnitude: 9),
    };

    /// <summary>
    /// Pretraining as in facebookresearch/mae: 75% hidden, normalised pixels, AdamW at 1.5e-4 for 256 images, weight decay 0.05, betas 0.9/0.95, 40 epochs of
    /// warm-up, cropped (0.2 to 1, bicubic) and mirrored. Its <c>PRETRAIN.md</c> has 4096 images in a batch and 800 epochs.
    /// </summary>
    /// <param name="batchSize">Images in a step; the learning rate is scaled by it. Default 4096.</param>
    public static MaePretrainOptions MaePretrain(VisionTransformerConfig encoder, int batchSize = 4096) => new()
    {
        Encoder = encoder, Masking = Masking.Random(0.75), Objective = Objective.Pixel(), Epochs = 800, BatchSize = batchSize,
        LearningRate = Scaled(1.5e-4, batchSize), WarmupEpochs = 40, WeightDecay = 0.05, Beta1 = 0.9, Beta2 = 0.95,
        Augmentation = MaeCropAndFlip(0.2),
    };

    /// <summary>
    /// Pretraining with PixMIM (Liu et al. 2023) as in open-mmlab/mmselfsup: as <see cref="MaePretrain"/>, with low-passed targets (radius 40 at 224 pixels)
    /// and a crop by at most 4 pixels instead of a resized one, 300 epochs. It has a run of 800 epochs too.
    /// </summary>
    /// <param name="batchSize">Images in a step; the learning rate is scaled by it. Default 4096.</param>
    public static MaePretrainOptions PixMimPretrain(VisionTransformerConfig encoder, int batchSize = 4096) => MaePretrain(encoder, batchSize) with
    {
        Objective = Objective.LowPassPixel(), Epochs = 300, Augmentation = Augmentation.RandomCrop(padding: 4).Then(Augmentation.HorizontalFlip()),
    };

    /// <summary>
    /// Pretraining with DMAE (Bai et al. 2023) as in UCSC-VLAA/DMAE: a ViT-B/16 learns from block 17 of a ViT-L/16 by its block 8 (both counted from 0), with
    /// raw pixels, 100 epochs with 20 of warm-up; the rest is <see cref="MaePretrain"/>'s.
    /// </summary>
    /// <param name="teacher">The ViT-L's weights: MAE's own, as safetensors.</param>
    /// <param name="batchSize">Images in a step; the learning rate is scaled by it. Default 4096.</param>
    public static MaePretrainOptions DmaePretrain(string teacher, int batchSize = 4096) =>
        MaePretrain(VisionTransformerConfig.VitBase16, batchSize) with
        {
            Objective = Objective.DistilledFeatures(teacher, VisionTransformerConfig.VitLarge16) with { StudentBlocks = [8], TeacherBlocks = [17] },
            Epochs = 100, WarmupEpochs = 20,
        };

    /// <summary>
    /// DMAE on Tiny ImageNet as in "Exploring Masked Autoencoders as Vision Learners" (Garcia, Senel and Frantzolas): a ViT-B/8 on 64x64 images learns from
    /// block 17 of a ViT-L/16 by its block 8 (both counted from 0). 90% are hidden, the best in the paper; its other runs hide 75%. 500 epochs with 50 of
    /// warm-up, and from the authors' code 128 images in a batch.
    /// </summary>
    /// <param name="teacher">The ViT-L's weights: MAE's own, as safetensors.</param>
    public static MaePretrainOptions ExploringMaeDistill(string teacher) => MaePretrain(VisionTransformerConfig.VitBase8, batchSize: 128) with
    {
        Objective = Objective.DistilledRawFeatures(teacher, VisionTransformerConfig.VitLarge16) with { StudentBlocks = [8], TeacherBlocks = [17] },
        Masking = Masking.Random(0.9), Epochs = 500, WarmupEpochs = 50,
    };

    /// <summary>
    /// Pretraining with SdAE (Chen et al. 2022): 75% hidden in 3 folds, AdamW at 8e-4 for 768 images, weight decay 0.05 (its code has 0.04), betas 0.9/0.95, 60
    /// of 300 epochs of warm-up, drop path 0.25, cropped (0.2 to 1, bicubic) and mirrored.
    /// </summary>
    /// <param name="encoder">The encoder; the published one is <see cref="VisionTransformerConfig.VitBase16"/>.</param>
    /// <param name="batchSize">Images in a step; the learning rate is scaled by it. Default 768.</param>
    public static MaePretrainOptions SdaePretrain(VisionTransformerConfig encoder, int batchSize = 768) => MaePretrain(encoder, batchSize) with
    {
        Objective = Objective.SelfDistilledFeatures(folds: 3), Epochs = 300, LearningRate = Scaled(8e-4 / 3, batchSize), WarmupEpochs = 60,
        DropPath = 0.25,
    };

    /// <summary>
    /// Pretraining with MFF (Liu et al. 2023) as in open-mmlab/mmpretrain: a ViT-B/16 whose output is fused of blocks 0, 2, 4, 6, 8 and 11 (its code also has
    /// 1, 3, 5, 7, 9 and 11), moved crops and mirroring, 300 epochs; the rest is <see cref="MaePretrain"/>'s. With PixMIM's target: <c>with { Objective =
    /// Objective.LowPassPixel() }</c>.
    /// </summary>
    /// <param name="batchSize">Images in a step; the learning rate is scaled by it. Default 4096.</param>
    public static MaePretrainOptions MffPretrain(int batchSize = 4096) =>
        MaePretrain(VisionTransformerConfig.VitBase16 with { Fusion = [0, 2, 4, 6, 8, 11] }, batchSize) with
        {
            Epochs = 300, Augmentation = Augmentation.RandomCrop(padding: 4).Then(Augmentation.HorizontalFlip()),
        };

    /// <summary>
    /// Pretraining with SimMIM (Xie et al. 2022) as microsoft/SimMIM pretrains its ViT-B/16: 60% hidden in squares of 2x2 patches (32x32 pixels), AdamW at 1e-4 for
    /// 512 images, weight decay 0.05, betas 0.9/0.999, 10 of 800 epochs of warm-up, gradients clipped at 5, drop path 0.1, cropped (0.67 to 1) and mirrored. The
    /// rate ends at a twentieth along a cosine, as in the code's default; for this one run the code has a step to a tenth after 700 epochs instead.
    /// </summary>
    /// <param name="encoder">The encoder; its grid of patches has even sides.</param>
    /// <param name="batchSize">Images in a step; the learning rate is scaled by it. Default 2048.</param>
    public static MaePretrainOptions SimMimPretrain(VisionTransformerConfig encoder, int batchSize = 2048) => new()
    {
        Encoder = encoder, Masking = Masking.Squares(0.6, side: 2), Objective = Objective.SimMim(), Epochs = 800, BatchSize = batchSize,
        LearningRate = Scaled(5e-5, batchSize), MinimumLearningRate = Scaled(2.5e-6, batchSize), WarmupEpochs = 10, WeightDecay = 0.05, Beta1 = 0.9,
        Beta2 = 0.999, ClipGradientNorm = 5, DropPath = 0.1, Augmentation = MaeCropAndFlip(0.67),
    };

    /// <summary>
    /// Pretraining with MaskFeat (Wei et al. 2022) as facebookresearch/SlowFast pretrains its ViT-B/16: 40% hidden block-wise, blocks of at least a fifth of that,
    /// AdamW at 2e-4 for 256 images, weight decay 0.05, betas 0.9/0.999, 30 of 300 epochs of warm-up, down to 1e-6, gradients clipped at 0.02, cropped (0.5 to 1)
    /// and mirrored. With mmpretrain's window: <c>with { Objective = Objective.MaskFeat() with { GaussianWindow = 16 } }</c>.
    /// </summary>
    /// <param name="batchSize">Images in a step; the learning rate is scaled by it. Default 2048.</param>
    public static MaePretrainOptions MaskFeatPretrain(VisionTransformerConfig encoder, int batchSize = 2048) => new()
    {
        Encoder = encoder, Masking = Masking.BlockWise(0.4, minPatches: Math.Max(1, (int)(encoder.PatchCount * 0.4) / 5)), Objective = Objective.MaskFeat(),
        Epochs = 300, BatchSize = batchSize, LearningRate = Scaled(2e-4, batchSize), MinimumLearningRate = 1e-6, WarmupEpochs = 30, WeightDecay = 0.05,
        Beta1 = 0.9, Beta2 = 0.999, ClipGradientNorm = 0.02, Augmentation = MaeCropAndFlip(0.5),
    };

    /// <summary>
    /// Pretraining with data2vec (Baevski et al. 2022) as facebookresearch/data2vec_vision pretrains its ViT-B/16: 120 of 196 patches hidden block-wise, in blocks
    /// of at least 16, AdamW at 2e-3 for 2048 images, weight decay 0.05, betas 0.9/0.999, 10 of 800 epochs of warm-up, down to 1e-5, gradients clipped at 3, drop
    /// path 0.25, colours changed (0.4), mirrored, cropped (0.08 to 1). That code also drops 5% of the attention, which ours cannot.
    /// </summary>
    /// <param name="encoder">The encoder, of at least six blocks.</param>
    /// <param name="batchSize">Images in a step; the learning rate is scaled by it. Default 2048.</param>
    public static MaePretrainOptions Data2VecPretrain(VisionTransformerConfig encoder, int batchSize = 2048) => new()
    {
        Encoder = encoder, Masking = Masking.BlockWise(0.61, minPatches: 16), Objective = Objective.Data2Vec(), Epochs = 800, BatchSize = batchSize,
        LearningRate = Scaled(2.5e-4, batchSize), MinimumLearningRate = 1e-5, WarmupEpochs = 10, WeightDecay = 0.05, Beta1 = 0.9, Beta2 = 0.999,
        ClipGradientNorm = 3, DropPath = 0.25,
        Augmentation = Augmentation.ColorJitter(0.4, 0.4, 0.4).Then(Augmentation.HorizontalFlip()).Then(Augmentation.RandomResizedCrop(0.08)),
    };

    /// <summary>
    /// Pretraining with BootMAE (Dong et al. 2022) as LightDXY/BootMAE pretrains its ViT-B/16: 147 of 196 patches hidden, 120 of them in rectangles of 16 to 60,
    /// decoders of 2 blocks, that of pixels 512 wide, AdamW at 1.5e-4 for 256 images, down to 1e-4 at the whole batch, weight decay 0.05, betas 0.9/0.95, 40 of 800
    /// epochs of warm-up, cropped (0.2 to 1, bicubic) and mirrored, on a scale of -1 to 1. Its decoder of pixels has 12 heads of 42 channels, here 16 of 32.
    /// </summary>
    /// <param name="batchSize">Images in a step; the learning rates are scaled by it. Default 4096.</param>
    public static MaePretrainOptions BootMaePretrain(VisionTransformerConfig encoder, int batchSize = 4096) => MaePretrain(encoder, batchSize) with
    {
        Decoder = DecoderConfig.Mae with { Depth = 2 }, Masking = Masking.BlockWise(0.75, minPatches: 16, maxPatches: 60, inRectangles: 0.61),
        Objective = Objective.BootMae(), MinimumLearningRate = Scaled(1e-4 / 16, batchSize), Mean = [0.5f, 0.5f, 0.5f], StandardDeviation = [0.5f, 0.5f, 0.5f],
    };

    /// <summary>
    /// Pretraining with DINO (Caron et al. 2021) by the defaults of facebookresearch/dino: AdamW at 5e-4 for 256 images, betas 0.9/0.999, 10 of 100 epochs of
    /// warm-up, down to 1e-6, weight decay 0.04 to 0.4, drop path 0.1, eight local crops. Its longer run of a ViT-S has 300 epochs and <c>new DinoObjective {
    /// TeacherTemperature = 0.07, TeacherTemperatureWarmupEpochs = 30, NormalizeLastLayer = false }</c>.
    /// </summary>
    /// <param name="encoder">For example <see cref="VisionTransformerConfig.VitSmall16"/>; the published ones learn their positions.</param>
    /// <param name="batchSize">Images in a step; the learning rate is scaled by it. Default 512, as on eight GPUs.</param>
    public static MaePretrainOptions DinoPretrain(VisionTransformerConfig encoder, int batchSize = 512) => new()
    {
        Encoder = encoder, Objective = new DinoObjective(), Epochs = 100, BatchSize = batchSize, LearningRate = Scaled(5e-4, batchSize),
        WarmupEpochs = 10, MinimumLearningRate = 1e-6, WeightDecay = 0.04, FinalWeightDecay = 0.4, Beta1 = 0.9, Beta2 = 0.999, DropPath = 0.1,
        Pooling = encoder.ClassToken == ClassToken.None ? Pooling.Mean : Pooling.ClassToken,
    };

    /// <summary>
    /// Pretraining with iBOT (Zhou et al. 2022) as bytedance/ibot pretrains its ViT-S/16: as <see cref="DinoPretrain"/>, 800 epochs of 1024 images, a shared head of
    /// 8192 outputs whose last layer is not normalised, ten local crops, 10% to 50% hidden in every other global crop, both teacher's temperatures 0.04 to 0.07 over
    /// 30 epochs. Its ViT-B has the last layer normalised: <c>with { Objective = Objective.IBot() }</c>.
    /// </summary>
    /// <param name="encoder">For example <see cref="VisionTransformerConfig.VitSmall16"/>; the published ones learn their positions.</param>
    /// <param name="batchSize">Images in a step; the learning rate is scaled by it. Default 1024, as on sixteen GPUs.</param>
    public static MaePretrainOptions IBotPretrain(VisionTransformerConfig encoder, int batchSize = 1024) =>
        DinoPretrain(encoder, batchSize) with { Objective = Objective.IBot() with { NormalizeLastLayer = false }, Epochs = 800 };

    /// <summary>
    /// DINO as the SMAE paper's baseline (Table 3): ViT-Lite-7/4, AdamW at 1e-4 down to 1e-6, weight decay 0.04 to 0.4, teacher momentum 0.9995, a head of 512,
    /// 128 and 1024, no local crops, teacher temperature 0.02 to 0.04 over 30 of 100 epochs, last layer normalised, gradients clipped at 3, crops of 0.6 to 1.
    /// The authors' code gives what the table lacks: 128 images in a batch, 10 epochs of warm-up, betas 0.9/0.999, the student kept. That code scales the rate
    /// by the batch, to 5e-5, and has a dropout of 0.1.
    /// </summary>
    public static MaePretrainOptions SmaePaperDinoPretrain { get; } = new()
    {
        Encoder = VisionTransformerConfig.VitLite7_4, Epochs = 100, BatchSize = 128, LearningRate = 1e-4, WarmupEpochs = 10,
        MinimumLearningRate = 1e-6, WeightDecay = 0.04, FinalWeightDecay = 0.4, Beta1 = 0.9, Beta2 = 0.999, Pooling = Pooling.ClassToken,
        Objective = new DinoObjective
        {
            OutputDim = 1024, HiddenDim = 512, BottleneckDim = 128, LocalCrops = 0, GlobalCropScale = (0.6, 1), WarmupTeacherTemperature = 0.02,
            TeacherTemperature = 0.04, TeacherTemperatureWarmupEpochs = 30, TeacherMomentum = 0.9995, ClipTensorNorm = 3, KeepTeacher = false,
        },
    };

    /// <summary>
    /// Fine-tuning of a ViT-B as in facebookresearch/mae: layer decay 0.65, drop path 0.1, mixup 0.8 or cutmix 1.0, label smoothing 0.1, RandAugment(9, 0.5),
    /// random erasing 0.25, mean pooling and <c>fc_norm</c>, positions trained. Its <c>FINETUNE.md</c> and defaults give what else is needed: 5e-4 for 256
    /// images, 100 epochs with 5 of warm-up, down to 1e-6, weight decay 0.05, betas 0.9/0.999, crops of 0.08 to 1. Set the encoder.
    /// </summary>
    /// <param name="batchSize">Images in a step; the learning rate is scaled by it. Default 1024.</param>
    public static FineTuneOptions MaeFineTuneBase(int batchSize = 1024) => new()
    {
        Epochs = 100, BatchSize = batchSize, LearningRate = Scaled(5e-4, batchSize), WarmupEpochs = 5, MinimumLearningRate = 1e-6, WeightDecay = 0.05,
        Beta1 = 0.9, Beta2 = 0.999, KeepBest = false, LayerDecay = 0.65, DropPath = 0.1, LabelSmoothing = 0.1, Mixing = new MixupOrCutmix(0.8, 1),
        TrainPositions = true, Pooling = Pooling.Mean,
        Augmentation = MaeCropAndFlip(0.08).Then(Augmentation.RandAugmentIncreasing(magnitude: 9, magnitudeStd: 0.5))
            .Then(Augmentation.RandomErasing(0.25)),
    };

    /// <summary>
    /// Fine-tuning of a ViT-L as in facebookresearch/mae: as <see cref="MaeFineTuneBase"/> with layer decay 0.75 and, by its <c>FINETUNE.md</c>, 1e-3 for 256
    /// images, 50 epochs and drop path 0.2. Set the encoder.
    /// </summary>
    /// <param name="batchSize">Images in a step; the learning rate is scaled by it. Default 1024.</param>
    public static FineTuneOptions MaeFineTuneLarge(int batchSize = 1024) =>
        MaeFineTuneBase(batchSize) with { Epochs = 50, LearningRate = Scaled(1e-3, batchSize), LayerDecay = 0.75, DropPath = 0.2 };

    /// <summary>
    /// Linear probing as in facebookresearch/mae: LARS at 0.1 for 256 images, momentum 0.9, no weight decay, batch normalisation without affine (1e-6) on the
    /// class token. Its <c>FINETUNE.md</c> and <c>main_linprobe.py</c> give 16384 images in a batch, 90 epochs with 10 of warm-up, crops (0.08 to 1) and
    /// mirroring.
    /// </summary>
    /// <param name="batchSize">Images in a step; the learning rate is scaled by it. Default 16384.</param>
    public static LinearProbeOptions MaeLinearProbe(int batchSize = 16384) => new()
    {
        Epochs = 90, BatchSize = batchSize, LearningRate = Scaled(0.1, batchSize), WarmupEpochs = 10, WeightDecay = 0, Beta1 = 0.9, KeepBest = false,
        Optimizer = ProbeOptimizer.Lars, BatchNorm = true, Pooling = Pooling.ClassToken, Augmentation = MaeCropAndFlip(0.08),
    };

    /// <summary>
    /// Pretraining of a ViT-B/8 on Tiny ImageNet as in "Exploring Masked Autoencoders as Vision Learners" (Garcia, Senel and Frantzolas): 500 epochs, 50 of
    /// them warm-up. The rest is not in our source and is taken from <see cref="MaePretrain"/>, at a batch of 512 for a single GPU. 3-Augment is <c>with {
    /// Augmentation = Augmentation.RandomCrop().Then(Augmentation.ThreeAugment()) }</c>.
    /// </summary>
    public static MaePretrainOptions ExploringMaePretrain { get; } =
        MaePretrain(VisionTransformerConfig.VitBase8, batchSize: 512) with { Epochs = 500, WarmupEpochs = 50 };

    /// <summary>
    /// Fine-tuning of that ViT-B/8 with full augmentation, mixup, cutmix and label smoothing: 300 epochs, 10 of them warm-up. The rest, the strength of each
    /// included, is not in our source and is taken from <see cref="MaeFineTuneBase"/>, at a batch of 512. Set the encoder, or for training from scratch
    /// <see cref="FineTuneOptions.Architecture"/> and a <see cref="FineTuneOptions.LayerDecay"/> of 1.
    /// </summary>
    public static FineTuneOptions ExploringMaeFullAugmentation { get; } = MaeFineTuneBase(batchSize: 512) with { Epochs = 300, WarmupEpochs = 10 };

    /// <summary>The same with small augmentation: crop and mirroring, without mixup, cutmix and label smoothing; our source does not say what it keeps.</summary>
    public static FineTuneOptions ExploringMaeSmallAugmentation { get; } =
        ExploringMaeFullAugmentation with { Mixing = null, LabelSmoothing = 0, Augmentation = MaeCropAndFlip(0.08) };

    private static Augmentation SmaeAugmentation =>
        Augmentation.HorizontalFlip().Then(Augmentation.RandomResizedCrop(0.6)).Then(Augmentation.RandAugment(numOps: 2, magnitude: 9));

    private static Augmentation MaeCropAndFlip(double minScale) => Augmentation.RandomResizedCrop(minScale).Then(Augmentation.HorizontalFlip());

    /// <summary>The largest patch that divides an image: of at most 16 pixels, in large images a sixteenth of a side.</summary>
    private static int PatchFor(int imageSize, int leastPerSide)
    {
        const int mostPerSide = 32;
        int patch = Enumerable.Range(1, Math.Max(16, imageSize / 16)).LastOrDefault(p => imageSize % p == 0 && imageSize / p >= leastPerSide);
        if (patch > 0 && imageSize / patch <= mostPerSide) return patch;
        throw new ArgumentOutOfRangeException(
            nameof(imageSize), imageSize,
            $"No patch divides images of {imageSize} pixels into {leastPerSide} to {mostPerSide} a side: take a multiple of 16, such as 64 or 224.");
    }

    private static double Scaled(double rateFor256, int batchSize)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batchSize);
        return rateFor256 * batchSize / 256;
    }
}
