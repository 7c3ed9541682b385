using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

/// <summary>
/// Every recipe takes its first two steps with its own settings: optimiser, schedule, masking, augmentation, objective, the size of images and patches. What is
/// scaled, since a test has neither the memory nor the hours: a transformer has two narrow blocks (fused, distilled, decoded ones too), DINO's head a narrow
/// output, and a batch four images, but for linear probing, whose batch is whole.
/// </summary>
[TestClass]
public sealed class RecipesTests
{
    private const int Batch = 4;
    private static readonly string s_folder = Directory.CreateTempSubdirectory("smae-recipes").FullName;

    public static IEnumerable<object[]> Pretraining => Pretrainings.Keys.Select(name => (object[])[name]);

    public static IEnumerable<object[]> FineTunings => FineTuneOptions.Keys.Select(name => (object[])[name]);

    private static Dictionary<string, Func<MaePretrainOptions>> Pretrainings { get; } = new()
    {
        ["SMAE"] = () => Recipes.SmaePretrain(Critic()), ["SMAE's MAE"] = () => Recipes.SmaePaperMaePretrain,
        ["MAE"] = () => Recipes.MaePretrain(VisionTransformerConfig.VitBase16), ["PixMIM"] = () => Recipes.PixMimPretrain(VisionTransformerConfig.VitBase16),
        ["DMAE"] = () => Recipes.DmaePretrain(Teacher(Recipes.DmaePretrain(""))),
        ["exploring DMAE"] = () => Recipes.ExploringMaeDistill(Teacher(Recipes.ExploringMaeDistill(""))),
        ["SdAE"] = () => Recipes.SdaePretrain(VisionTransformerConfig.VitBase16), ["MFF"] = () => Recipes.MffPretrain(),
        ["DINO"] = () => Recipes.DinoPretrain(VisionTransformerConfig.VitSmall16), ["SMAE's DINO"] = () => Recipes.SmaePaperDinoPretrain,
        ["exploring MAE"] = () => Recipes.ExploringMaePretrain, ["SimMIM"] = () => Recipes.SimMimPretrain(VisionTransformerConfig.VitBase16),
        ["MaskFeat"] = () => Recipes.MaskFeatPretrain(VisionTransformerConfig.VitBase16),
        ["data2vec"] = () => Recipes.Data2VecPretrain(VisionTransformerConfig.VitBase16), ["BootMAE"] = () => Recipes.BootMaePretrain(VisionTransformerConfig.VitBase16),
        ["iBOT"] = () => Recipes.IBotPretrain(VisionTransformerConfig.VitSmall16),
        ["by the number of images"] = () => Recipes.ForImages(2_000, 64),
    };

    private static Dictionary<string, FineTuneOptions> FineTuneOptions { get; } = new()
    {
        ["SMAE, Tiny ImageNet"] = Recipes.SmaeFineTuneTinyImageNet, ["SMAE, CUB"] = Recipes.SmaeFineTuneCub,
        ["SMAE, Tiny ImageNet from scratch"] = Recipes.SmaeScratchTinyImageNet, ["SMAE, CUB from scratch"] = Recipes.SmaeScratchCub,
        ["MAE, ViT-B"] = Recipes.MaeFineTuneBase(), ["MAE, ViT-L"] = Recipes.MaeFineTuneLarge(),
        ["exploring, full"] = Recipes.ExploringMaeFullAugmentation, ["exploring, small"] = Recipes.ExploringMaeSmallAugmentation,
    };

    [ClassCleanup]
    public static void Clean() => Directory.Delete(s_folder, true);

    [TestMethod]
    public void EveryRecipeIsTried()
    {
        int pretraining = Count<MaePretrainOptions>(), fineTuning = Count<FineTuneOptions>();
        Assert.AreEqual(Pretrainings.Count, pretraining);
        Assert.AreEqual(FineTuneOptions.Count, fineTuning);

        static int Count<T>() => typeof(Recipes).GetMembers().Count(m => (m as System.Reflection.PropertyInfo)?.PropertyType == typeof(T)
            || m is System.Reflection.MethodInfo { IsSpecialName: false } method && method.ReturnType == typeof(T));
    }

    [TestMethod]
    [DynamicData(nameof(Pretraining))]
    public void PretrainingTakesItsFirstSteps(string name)
    {
        MaePretrainOptions recipe = Pretrainings[name]();
        MaePretrainOptions options = recipe with { Encoder = Narrow(recipe.Encoder), BatchSize = Batch };
        if (recipe.Objective is DinoObjective dino) options = options with { Objective = dino with { OutputDim = Math.Min(dino.OutputDim, 512), HiddenDim = 64 } };
        if (recipe.Objective is Data2VecObjective data2vec) options = options with { Objective = data2vec with { TopBlocks = 2 } };
        if (recipe.Objective is DistillationObjective distilled)
        {
            options = options with
            {
                Objective = Objective.DistilledFeatures(distilled.Teacher) with
                {
                    StudentBlocks = [0], TeacherBlocks = [1], Projection = distilled.Projection, NormalizeFeatures = distilled.NormalizeFeatures,
                    Weight = distilled.Weight, Pixels = distilled.Pixels,
                },
            };
        }
        using ImageStore images = TinyModels.Images(2 * Batch, recipe.Encoder.ImageHeight, recipe.Encoder.ImageWidth);
        FirstTwo(options, stop => MaePretraining.Run(images, stop));
    }

    [TestMethod]
    [DynamicData(nameof(FineTunings))]
    public void FineTuningTakesItsFirstSteps(string name)
    {
        FineTuneOptions recipe = FineTuneOptions[name];
        recipe.Validate();
        VisionTransformerConfig shape = Narrow(recipe.Architecture ?? (name.StartsWith("MAE", StringComparison.Ordinal)
            ? VisionTransformerConfig.VitBase16 : name.StartsWith("exploring", StringComparison.Ordinal) ? VisionTransformerConfig.VitBase8
            : VisionTransformerConfig.VitLite7_4));
        using ImageEncoder encoder = ImageEncoder.Create(shape);
        FineTuneOptions options = recipe with { BatchSize = Batch, Architecture = shape, Encoder = recipe.Architecture is null ? encoder : null };
        LabelledImages images = EasyImages.Create(2 * Batch, side: shape.ImageHeight);
        FirstTwo(options, stop => FineTuning.Run(images, null, stop));
    }

    [TestMethod]
    public void TheCriticTakesItsFirstSteps() =>
        FirstTwo(Recipes.SmaeCritic with { BatchSize = Batch }, stop => CriticTraining.Run(EasyImages.Create(2 * Batch, side: 64), null, stop));

    /// <summary>
    /// The whole batch of facebookresearch/mae, whose images at 224x224 are 2.5 GB: decoded, they lie in an image store, in memory or on disk, and 128 of them
    /// at a time become numbers. Here the batch has small images, for time's sake.
    /// </summary>
    [TestMethod]
    public void LinearProbingTakesItsFirstStepsWithWholeBatches()
    {
        using ImageEncoder encoder = ImageEncoder.Create(TinyModels.Encoder with { EmbedDim = 8, Depth = 1 });
        Assert.AreEqual(16384, Recipes.MaeLinearProbe().BatchSize);
        FirstTwo(Recipes.MaeLinearProbe(), stop => LinearProbe.Run(encoder, EasyImages.Create(2 * 16384), null, stop));
        FirstTwo(Recipes.SmaeLinearProbe with { Pooling = null }, stop => LinearProbe.Run(encoder, EasyImages.Create(256), null, stop));
    }

    [TestMethod]
    public void OfALargeBatchNoMoreThanTheEmbeddingsAreKept()
    {
        using ImageEncoder encoder = ImageEncoder.Create(TinyModels.Encoder with { EmbedDim = 8, Depth = 1 });
        List<long> tensors = [];
        var options = new LinearProbeOptions { Epochs = 1, BatchSize = 1024, Augmentation = new CountingAugmentation(tensors) };
        LinearProbe.Run(encoder, EasyImages.Create(1024), null, options);
        Assert.HasCount(8, tensors);
        for (int i = 1; i < tensors.Count; i++) Assert.IsLessThanOrEqualTo(i, tensors[i] - tensors[0], "a tensor for the embeddings of each 128 images, none for pixels");
    }

    [TestMethod]
    [DataRow(500, 64, false, 192, 8, 32, 1.25e-4, 2000)]
    [DataRow(2_000, 64, false, 192, 8, 64, 2.5e-4, 2000)]
    [DataRow(10_000, 64, false, 192, 8, 128, 5e-4, 1280)]
    [DataRow(10_000, 224, true, 192, 16, 512, 2e-3, 2000)]
    [DataRow(100_000, 64, true, 384, 4, 1024, 2.4e-3, 1024)]
    [DataRow(100_000, 64, false, 192, 8, 128, 5e-4, 128)]
    [DataRow(1_300_000, 224, true, 768, 16, 1024, 6e-4, 78)]
    [DataRow(20_000_000, 224, true, 1024, 16, 1024, 6e-4, 20)]
    [DataRow(1_300_000, 224, false, 384, 16, 128, 5e-4, 20)]
    [DataRow(3_000, 96, false, 192, 12, 128, 5e-4, 2000)]
    [DataRow(3_000, 512, true, 192, 32, 128, 5e-4, 2000)]
    public void ImagesOfOnesOwnGetWhatTheirNumberAllows(
        long count, int size, bool gpu, int dim, int patch, int batch, double rate, int epochs)
    {
        MaePretrainOptions options = Recipes.ForImages(count, size, gpu ? new Device(DeviceType.CUDA) : null);
        options.Validate();
        Assert.AreEqual((dim, patch, size, batch, epochs),
            (options.Encoder.EmbedDim, options.Encoder.PatchSize, options.Encoder.ImageHeight, options.BatchSize, options.Epochs));
        Assert.AreEqual(rate, options.LearningRate, 1e-12);
        Assert.IsTrue(options.Decoder!.EmbedDim < dim && options.BatchSize <= count / 8);
    }

    [TestMethod]
    public void ImagesThatNoPatchDividesAreRefused()
    {
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Recipes.ForImages(100, 97)).Message, "multiple of 16");
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Recipes.ForImages(0, 64));
    }

    /// <summary>Runs until the second step is reported, with the recipe's own number of epochs and so its own schedule.</summary>
    private static void FirstTwo<T>(T options, Action<T> run) where T : TrainingOptions
    {
        using var stop = new CancellationTokenSource();
        long steps = 0;
        var watch = new Watch(progress =>
        {
            steps = progress.Step;
            Assert.IsTrue(double.IsFinite(progress.Loss) && progress.Epochs == options.Epochs);
            if (progress.Step >= 2) stop.Cancel();
        });
        Assert.ThrowsExactly<OperationCanceledException>(() => run(options with { Seed = 1, Progress = watch, CancellationToken = stop.Token }));
        Assert.AreEqual(2, steps);
    }

    private static VisionTransformerConfig Narrow(VisionTransformerConfig encoder) => encoder with
    {
        EmbedDim = 32, NumHeads = 2, Depth = 2, Fusion = encoder.Fusion is null ? null : [0, 1],
        DefaultDecoder = encoder.DefaultDecoder with { EmbedDim = 16, NumHeads = 2, Depth = 1 },
    };

    private static string Critic()
    {
        string path = Path.Combine(s_folder, "critic.safetensors");
        using var critic = new SqueezeNet(2, seed: 1);
        critic.Save(path);
        return path;
    }

    /// <summary>A teacher of the recipe's image and patch size.</summary>
    private static string Teacher(MaePretrainOptions recipe)
    {
        string path = Path.Combine(s_folder, "teacher.safetensors");
        using ImageEncoder teacher = ImageEncoder.Create(Narrow(((DistillationObjective)recipe.Objective).Architecture!) with { EmbedDim = 48 });
        teacher.Save(path);
        return path;
    }

    private sealed record CountingAugmentation(List<long> Tensors) : Augmentation
    {
        private protected override Tensor Transform(Tensor images, RandomSequence[] random)
        {
            Tensors.Add(Tensor.TotalCount);
            return images;
        }
    }

    private sealed class Watch(Action<TrainingProgress> report) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => report(value);
    }
}
