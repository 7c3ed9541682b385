using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

/// <summary>Distillation from a frozen teacher: learns, sees what the student sees, and refuses what cannot be.</summary>
[TestClass]
public sealed class DistillationTests : IDisposable
{
    private static readonly VisionTransformerConfig s_teacher = new()
    {
        ImageHeight = 48, ImageWidth = 48, PatchSize = 8, EmbedDim = 24, Depth = 3, NumHeads = 2, MlpRatio = 2,
    };

    private readonly string _folder = Directory.CreateTempSubdirectory("smae-distil-").FullName;

    private string Path => System.IO.Path.Combine(_folder, "teacher.safetensors");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [TestMethod]
    [DataRow(false, 0.75, Precision.Float32)]
    [DataRow(true, 0.75, Precision.BFloat16)]
    [DataRow(false, 0.9, Precision.Float32)]
    public void TheLossFallsAndTheFeaturesComeNearer(bool raw, double ratio, Precision precision)
    {
        Save(s_teacher);
        using ImageStore images = TinyModels.Images(32);
        DistillationObjective objective = (raw ? Objective.DistilledRawFeatures(Path, s_teacher) : Objective.DistilledFeatures(Path, s_teacher)) with
        {
            Weight = 100,   // so that a loss that falls is one of features that come nearer
        };
        MaePretrainOptions options = Options(objective) with
        {
            Masking = Masking.Random(ratio), Precision = precision, Epochs = 15, LearningRate = 3e-3,
        };
        MaePretrainResult result = MaePretraining.Run(images, options);
        Assert.IsLessThan(0.7 * result.FirstLoss, result.LastLoss);
    }

    [TestMethod]
    public void SeveralPairsOfBlocksAddUp() => With(s_teacher, (model, images, mask) =>
    {
        DistillationObjective both = Objective.DistilledFeatures(Path, s_teacher) with { StudentBlocks = [0, 1], TeacherBlocks = [0, 2] };
        using var run = (DistillationObjective.Run)both.Begin(model);
        (Reconstruction reconstruction, IReadOnlyList<(Tensor Student, Tensor Teacher)> features) = run.Compare(new GivenBatch(images, mask));
        Assert.HasCount(2, features);
        double expected = both.Pixels.Loss(reconstruction).ToDouble();
        foreach ((Tensor student, Tensor teacher) in features)
            expected += (student / student.norm(-1, keepdim: true) - teacher / teacher.norm(-1, keepdim: true)).abs().mean().ToDouble();
        Assert.AreEqual(expected, run.Loss(images, mask).ToDouble(), 1e-5 * expected);
        Assert.HasCount(4, run.Parameters);

        using var generator = new Generator(1);
        PatchMask wrong = Masking.Random(0.5).Draw(2, 3, 3, generator);
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => run.Loss(new GivenBatch(images, wrong))).Message, "9 patches: expected 2 of 16");
    });

    [TestMethod]
    public void TheTeacherSeesTheVisiblePatchesAlone()
    {
        VisionTransformerConfig same = s_teacher.ForImages(16, patchSize: 4);   // the student's patches: nothing is resized
        With(same, (model, images, mask) =>
        {
            using FrozenTeacher teacher = Load(same);
            Tensor hidden = Patches.ToImages(mask.Hidden().unsqueeze(-1).expand(-1, -1, 48).contiguous(), TinyModels.Encoder);
            Tensor seen = teacher.Features(images, mask, [2])[0], other = teacher.Features(images + hidden, mask, [2])[0];
            CollectionAssert.AreEqual((long[])[2, 1 + mask.Visible.size(1), 24], seen.shape);
            Assert.IsTrue(seen.Equals(other));
            Assert.IsFalse(seen.Equals(teacher.Features(images * 2, mask, [2])[0]));
        });
    }

    [TestMethod]
    public void OnlyTheBlocksUpToTheLastNeededAreLoadedAndNoMoreNeedBeInTheFile() => With(s_teacher with { Depth = 2 }, (model, images, mask) =>
    {
        DistillationObjective objective = Objective.DistilledFeatures(Path, s_teacher);   // says 3 blocks, the file holds 2
        using var run = (DistillationObjective.Run)objective.Begin(model);
        Assert.IsTrue(double.IsFinite(run.Loss(images, mask).ToDouble()));
        using FrozenTeacher teacher = Load(s_teacher, lastBlock: 0);
        Assert.AreEqual(1, teacher.Model.Config.Depth);
        Refused(objective with { TeacherBlocks = [2] }, "TeacherBlocks names block 2", "does not hold: expected one of its 2 blocks up to 1.");
    });

    [TestMethod]
    [DataRow(ClassToken.First, ClassToken.Last, 9)]
    [DataRow(ClassToken.Last, ClassToken.First, 9)]
    [DataRow(ClassToken.None, ClassToken.First, 8)]
    [DataRow(ClassToken.First, ClassToken.None, 8)]
    public void TokensCorrespondWhereverTheClassTokenStands(ClassToken student, ClassToken teacher, int tokens)
    {
        VisionTransformerConfig shape = s_teacher with { ClassToken = teacher };
        With(shape, (model, images, mask) =>
        {
            using var run = (DistillationObjective.Run)(Objective.DistilledFeatures(Path, shape) with { TeacherBlocks = [2] }).Begin(model);
            (_, IReadOnlyList<(Tensor Student, Tensor Teacher)> features) = run.Compare(new GivenBatch(images, mask));
            using FrozenTeacher alone = Load(shape);
            Tensor stream = alone.Features(images, mask, [2])[0], compared = features[0].Teacher;
            Assert.AreEqual(tokens, compared.size(1));
            CollectionAssert.AreEqual(features[0].Student.shape, compared.shape);
            int from = student == ClassToken.First && tokens == 9 ? 1 : 0;
            Assert.IsTrue(alone.Model.PatchTokens(stream).Equals(compared.narrow(1, from, 8)), "patches");
            if (tokens == 9) Assert.IsTrue(alone.Model.Pool(stream, Pooling.ClassToken).Equals(compared.select(1, from == 1 ? 0 : 8)), "class token");
        }, TinyModels.Encoder with { ClassToken = student });
    }

    [TestMethod]
    public void ATeacherOfOursBringsItsShapeAndItsColours() => With(s_teacher, (model, images, mask) =>
    {
        var own = new ImagePreprocessing { Height = 48, Width = 48, Mean = [0.1f, 0.2f, 0.3f], StandardDeviation = [0.5f, 0.4f, 0.3f] };
        using (var encoder = new ImageEncoder(new VisionTransformer(s_teacher), own, Pooling.Mean)) encoder.Save(Path);
        MaePretrainOptions options = Options(Objective.DistilledFeatures(Path));
        options.Validate();
        using FrozenTeacher teacher = FrozenTeacher.Load(Path, null, 2, options, CPU);
        static Tensor Channels(IEnumerable<float> values) => tensor(values.ToArray(), [1, 3, 1, 1]);
        Tensor pixels = images * Channels(options.Preprocessing.StandardDeviation) + Channels(options.Preprocessing.Mean);
        Tensor expected = (pixels - Channels(own.Mean)) / Channels(own.StandardDeviation);
        expected = nn.functional.interpolate(expected, [32, 32], mode: InterpolationMode.Bilinear, align_corners: false);
        Close.To(expected, teacher.Resized(images), 1e-5, "colours");
    });

    [TestMethod]
    public void TheSameFileNameWithAnotherTeacherIsAnotherObjective()
    {
        DistillationObjective objective = Objective.DistilledFeatures(Path, s_teacher);
        string Identity(long seed)
        {
            Save(s_teacher, seed);
            return objective.Identity;
        }
        Assert.AreEqual(Identity(1), Identity(1));
        Assert.AreNotEqual(Identity(1), Identity(2));
        Assert.AreNotEqual(objective.Identity, (objective with { StudentBlocks = [1] }).Identity);
    }

    [TestMethod]
    public void WhatCannotBeIsNamedBeforeTheFirstStep()
    {
        Save(s_teacher);
        DistillationObjective good = Objective.DistilledFeatures(Path, s_teacher);
        Options(good).Validate();
        Refused(Objective.DistilledFeatures(Path, s_teacher.ForImages(24)), "3x3 patches cannot correspond to the encoder's 4x4");
        Refused(Objective.DistilledFeatures(Path, s_teacher with { Channels = 1 }), "1 channels, the encoder of 3");
        Refused(Objective.DistilledFeatures(Path, s_teacher with { NumHeads = 5 }), "Objective.Architecture.NumHeads is 5");
        Refused(Objective.DistilledFeatures(Path), "teacher.json is not there");
        Refused(Objective.DistilledFeatures(Path + "2", s_teacher), "teacher.safetensors2 is not there");
        Refused(Objective.DistilledFeatures(" ", s_teacher), "Objective.Teacher is empty");
        Refused(good with { StudentBlocks = [2] }, "Objective.StudentBlocks names block 2 of 2");
        Refused(good with { TeacherBlocks = [3] }, "Objective.TeacherBlocks names block 3 of 3");
        Refused(good with { StudentBlocks = [] }, "Objective.StudentBlocks is empty");
        Refused(good with { StudentBlocks = [0, 1], TeacherBlocks = [2] }, "2 and 1 blocks");
        Refused(good with { Weight = 0 }, "Objective.Weight is 0");

        string damaged = System.IO.Path.Combine(_folder, "damaged.safetensors");
        File.WriteAllText(damaged, "no tensors");
        Refused(Objective.DistilledFeatures(damaged, s_teacher), damaged);
        var e = Assert.ThrowsExactly<InvalidDataException>(() => Run(Objective.DistilledFeatures(Path, s_teacher with { EmbedDim = 32 })));
        StringAssert.Contains(e.Message, "'cls_token' has the shape [1, 1, 24], expected [1, 1, 32]");
    }

    [TestMethod]
    public void TheRecipesFitAViTLOfWhichNoMoreThanIsNeededIsThere()
    {
        using DisposeScope scope = NewDisposeScope();
        SafeTensors.Save(Path, [("blocks.17.norm1.weight", zeros(1))]);   // that it is there is all that options can tell
        MaePretrainOptions large = Recipes.DmaePretrain(Path), small = Recipes.ExploringMaeDistill(Path);
        large.Validate();
        small.Validate();
        Assert.AreEqual((2.4e-3, 100, 20.0, 0.75), (large.LearningRate, large.Epochs, large.WarmupEpochs, large.Masking.Ratio));
        Assert.AreEqual((7.5e-5, 500, 50.0, 0.9), (small.LearningRate, small.Epochs, small.WarmupEpochs, small.Masking.Ratio));
        BlockList student = FrozenTeacher.AtThreeQuarters(large.Encoder), teacher = FrozenTeacher.AtThreeQuarters(VisionTransformerConfig.VitLarge16);
        var published = (DistillationObjective)large.Objective;
        Assert.AreEqual((published.StudentBlocks, published.TeacherBlocks), (student, teacher));
    }

    private static MaePretrainOptions Options(Objective objective) => TinyModels.Options with { Objective = objective };

    private static void Run(Objective objective)
    {
        using ImageStore images = TinyModels.Images(8);
        MaePretraining.Run(images, Options(objective) with { Progress = new Progress<TrainingProgress>(_ => Assert.Fail("a step was taken")) });
    }

    private static void Refused(Objective objective, params string[] parts)
    {
        string message = Assert.ThrowsExactly<ArgumentException>(() => Run(objective)).Message;
        foreach (string part in parts) StringAssert.Contains(message, part);
    }

    private void Save(VisionTransformerConfig shape, long seed = 5)
    {
        using var teacher = new VisionTransformer(shape, seed);
        SafeTensors.Save(Path, ModelWeights.Of(teacher));
    }

    private FrozenTeacher Load(VisionTransformerConfig shape, int lastBlock = 2) =>
        FrozenTeacher.Load(Path, shape, lastBlock, Options(Objective.Pixel()), CPU);

    /// <summary>A student, two images and a mask that shows half of their patches, with the teacher's weights saved.</summary>
    private void With(VisionTransformerConfig teacher, Action<MaskedAutoencoder, Tensor, PatchMask> check, VisionTransformerConfig? student = null)
    {
        Save(teacher);
        using DisposeScope scope = NewDisposeScope();
        using var generator = new Generator(5);
        using var model = new MaskedAutoencoder(student ?? TinyModels.Encoder);
        check(model, randn([2, 3, 16, 16], generator: generator), Masking.Random(0.5).Draw(2, 4, 4, generator));
    }
}
