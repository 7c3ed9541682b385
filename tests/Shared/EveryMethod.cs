using Smae.Training;

namespace Smae.Tests;

/// <summary>Every method by its name, made of the options of an MAE run: what must hold for one must hold for all.</summary>
internal static class EveryMethod
{
    public static IReadOnlyList<string> Names { get; } =
        ["MAE", "SMAE", "PixMIM", "MFF", "MFF with PixMIM", "DMAE", "DMAE, raw features", "SdAE", "DINO", "SimMIM", "MaskFeat", "data2vec", "BootMAE", "iBOT"];

    /// <summary>For <c>DynamicData</c>.</summary>
    public static IEnumerable<object[]> Rows => Names.Select(name => (object[])[name]);

    /// <summary>The options of a method.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="mae">What all methods have in common: encoder, budget, seed. 75% of the patches are hidden, a number that 3 divides.</param>
    /// <param name="folder">Takes the files of critic and teacher, with random weights unless they are there already.</param>
    public static MaePretrainOptions Options(string name, MaePretrainOptions mae, string folder) => name switch
    {
        "MAE" => mae,
        "SMAE" => mae with { Objective = Objective.Semantic(0.5, Critic(folder)) },
        "PixMIM" => mae with { Objective = Objective.LowPassPixel() },
        "MFF" => Fused(mae),
        "MFF with PixMIM" => Fused(mae) with { Objective = Objective.LowPassPixel() },
        "DMAE" => mae with { Objective = Objective.DistilledFeatures(Teacher(mae.Encoder, folder)) },
        "DMAE, raw features" => mae with { Objective = Objective.DistilledRawFeatures(Teacher(mae.Encoder, folder)) },
        "SdAE" => mae with { Objective = Objective.SelfDistilledFeatures() with { Momentum = 0.5, FinalMomentum = 0.8 } },
        "DINO" => mae with
        {
            Pooling = Pooling.ClassToken, Beta2 = 0.999, Objective = new DinoObjective
            {
                OutputDim = 256, HiddenDim = 128, BottleneckDim = 64, LocalCrops = 2, LocalCropSide = 0.5, TeacherMomentum = 0.98,
                FrozenLastLayerEpochs = Math.Min(1, mae.Epochs - 1),
            },
        },
        "SimMIM" => mae with { Objective = Objective.SimMim() },
        "MaskFeat" => mae with { Objective = Objective.MaskFeat() },
        "data2vec" => mae with { Objective = Objective.Data2Vec() with { TopBlocks = mae.Encoder.Depth, Momentum = 0.9 } },
        "iBOT" => mae with
        {
            Pooling = Pooling.ClassToken, Beta2 = 0.999, Objective = Objective.IBot() with
            {
                OutputDim = 256, HiddenDim = 128, BottleneckDim = 64, LocalCrops = 2, LocalCropSide = 0.5, TeacherMomentum = 0.98, TeacherTemperatureWarmupEpochs = 0,
                FrozenLastLayerEpochs = Math.Min(1, mae.Epochs - 1),
            },
        },
        "BootMAE" => mae with { Objective = Objective.BootMae() with { Momentum = 0.9 } },
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, "unknown"),
    };

    /// <summary>Where <see cref="Options"/> expects DMAE's teacher.</summary>
    public static string TeacherPath(string folder) => Path.Combine(folder, "teacher.safetensors");

    /// <summary>A shape for DMAE's teacher.</summary>
    public static VisionTransformerConfig TeacherShape(VisionTransformerConfig encoder) =>
        encoder with { EmbedDim = encoder.EmbedDim * 3 / 2, Depth = encoder.Depth + 1 };

    private static MaePretrainOptions Fused(MaePretrainOptions mae) => mae with
    {
        Encoder = mae.Encoder with { Fusion = BlockList.Create([.. Enumerable.Range(0, mae.Encoder.Depth)]) },
    };

    private static string Teacher(VisionTransformerConfig encoder, string folder)
    {
        string path = TeacherPath(folder);
        if (File.Exists(path)) return path;
        using var teacher = ImageEncoder.Create(TeacherShape(encoder), seed: 9);
        teacher.Save(path);
        return path;
    }

    private static string Critic(string folder)
    {
        string path = Path.Combine(folder, "critic.safetensors");
        if (File.Exists(path)) return path;
        using var critic = new SqueezeNet(2, seed: 1);
        critic.Save(path);
        return path;
    }
}
