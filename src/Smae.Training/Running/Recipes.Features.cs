namespace Smae.Training;

// Methods that predict features, take them from a teacher, or fuse them.
public static partial class Recipes
{
    /// <summary>
    /// Pretraining with DMAE (Bai et al. 2023) as in UCSC-VLAA/DMAE: a ViT-B/16 learns from block 17 of a ViT-L/16 by its block 8 (both counted
    /// from 0), with raw pixels, 100 epochs with 20 of warm-up; the rest is <see cref="MaePretrain"/>'s.
    /// </summary>
    /// <param name="teacher">The ViT-L's weights: MAE's own, as safetensors.</param>
    /// <param name="batchSize">
    /// Images in a step; the learning rate is scaled by it. Default 4096: see <see cref="TrainingOptions.AccumulationSteps"/>.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">The batch is not positive.</exception>
    public static MaePretrainOptions DmaePretrain(string teacher, int batchSize = 4096) =>
        MaePretrain(VisionTransformerConfig.VitBase16, batchSize) with
        {
            Objective = Objective.DistilledFeatures(teacher, VisionTransformerConfig.VitLarge16) with { StudentBlocks = [8], TeacherBlocks = [17] },
            Epochs = 100, WarmupEpochs = 20,
        };

    /// <summary>
    /// DMAE on Tiny ImageNet as in "Exploring Masked Autoencoders as Vision Learners" (Garcia, Senel and Frantzolas): a ViT-B/8 on 64x64 images
    /// learns from block 17 of a ViT-L/16 by its block 8 (both counted from 0). 90% are hidden, the best in the paper; its other runs hide 75%. 500
    /// epochs with 50 of warm-up, and from the authors' code 128 images in a batch.
    /// </summary>
    /// <param name="teacher">The ViT-L's weights: MAE's own, as safetensors.</param>
    public static MaePretrainOptions ExploringMaeDistill(string teacher) => MaePretrain(VisionTransformerConfig.VitBase8, batchSize: 128) with
    {
        Objective = Objective.DistilledRawFeatures(teacher, VisionTransformerConfig.VitLarge16) with { StudentBlocks = [8], TeacherBlocks = [17] },
        Masking = Masking.Random(0.9), Epochs = 500, WarmupEpochs = 50,
    };

    /// <summary>
    /// Pretraining with SdAE (Chen et al. 2022): 75% hidden in 3 folds, AdamW at 8e-4 for 768 images, weight decay 0.05 (its code has 0.04), betas
    /// 0.9/0.95, 60 of 300 epochs of warm-up, drop path 0.25, cropped (0.2 to 1, bicubic) and mirrored.
    /// </summary>
    /// <param name="encoder">The encoder; the published one is <see cref="VisionTransformerConfig.VitBase16"/>.</param>
    /// <param name="batchSize">Images in a step; the learning rate is scaled by it. Default 768.</param>
    /// <exception cref="ArgumentOutOfRangeException">The batch is not positive.</exception>
    public static MaePretrainOptions SdaePretrain(VisionTransformerConfig encoder, int batchSize = 768) => MaePretrain(encoder, batchSize) with
    {
        Objective = Objective.SelfDistilledFeatures(folds: 3), Epochs = 300, LearningRate = Scaled(8e-4 / 3, batchSize), WarmupEpochs = 60,
        DropPath = 0.25,
    };

    /// <summary>
    /// Pretraining with MFF (Liu et al. 2023) as in open-mmlab/mmpretrain: a ViT-B/16 whose output is fused of blocks 0, 2, 4, 6, 8 and 11 (its
    /// code also has 1, 3, 5, 7, 9 and 11), moved crops and mirroring, 300 epochs; the rest is <see cref="MaePretrain"/>'s. With PixMIM's target:
    /// <c>with { Objective = Objective.LowPassPixel() }</c>.
    /// </summary>
    /// <param name="batchSize">
    /// Images in a step; the learning rate is scaled by it. Default 4096: see <see cref="TrainingOptions.AccumulationSteps"/>.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">The batch is not positive.</exception>
    public static MaePretrainOptions MffPretrain(int batchSize = 4096) =>
        MaePretrain(VisionTransformerConfig.VitBase16 with { Fusion = [0, 2, 4, 6, 8, 11] }, batchSize) with
        {
            Epochs = 300, Augmentation = Augmentation.RandomCrop(padding: 4).Then(Augmentation.HorizontalFlip()),
        };
}
