using System.Globalization;
using Smae.Training;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using DataType = Smae.Export.TensorProto.Types.DataType;

namespace Smae.Export.Tests;

/// <summary>Distillation from teachers of any make: what is learned is what the teacher gives, whatever file it is in, and runs go on exactly.</summary>
[TestClass]
public sealed class TeacherObjectiveTests : IDisposable
{
    private static readonly VisionTransformerConfig s_config = TinyModels.Config;   // 16x24 pixels, patches of 4: 4x6
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [TestMethod]
    [DataRow(ClassToken.First, OnnxInput.Bytes, Pooling.Mean)]
    [DataRow(ClassToken.Last, OnnxInput.PlanarBytes, Pooling.ClassToken)]
    [DataRow(ClassToken.First, OnnxInput.NormalizedPlanes, Pooling.ClassToken)]
    [DataRow(ClassToken.None, OnnxInput.Bytes, Pooling.Mean)]
    [DataRow(ClassToken.Last, null, Pooling.Mean)]
    [DataRow(ClassToken.First, null, Pooling.ClassToken)]
    public void AStudentThatIsItsTeacherHasNoLossUnderTheHeadThatChangesNothing(ClassToken token, OnnxInput? input, Pooling pooling)
    {
        using DisposeScope scope = NewDisposeScope();
        using MaskedAutoencoder model = TinyModels.Autoencoder(s_config with { ClassToken = token });
        string path = _folder.At(input is null ? "teacher.safetensors" : "teacher.onnx");
        using (var encoder = new ImageEncoder(Copy(model.Encoder), TinyModels.Preprocessing(s_config), pooling))
            if (input is { } kind) encoder.ExportOnnx(path, new OnnxExportOptions { Output = OnnxOutput.Tokens, Input = kind });
            else encoder.Save(path);
        TeacherObjective objective = Objective.DistilledFrom(path) with { TeacherPooling = input is null ? null : pooling };
        MaePretrainOptions options = Options(objective, model.Config) with { Pooling = pooling };
        options.Validate();
        using ObjectiveRun run = objective.Begin(model, options, CPU);
        Assert.HasCount(4, run.Parameters);
        PretrainBatch batch = Batch(Images(3, options));
        using (no_grad()) run.BatchReady(batch);
        Assert.IsGreaterThan(0.3, run.Loss(batch).ToDouble(), "a random head is far from it");
        MakeIdentity(run.Parameters);
        Assert.IsLessThan(1e-4, run.Loss(batch).ToDouble());
        double parts = (run.Loss(batch.Slice(0, 1)).ToDouble() + 2 * run.Loss(batch.Slice(1, 3)).ToDouble()) / 3;
        Assert.AreEqual(run.Loss(batch).ToDouble(), parts, 1e-6);
    }

    [TestMethod]
    [DataRow(nameof(DataType.Uint8), true, null, 16, 24)]
    [DataRow(nameof(DataType.Uint8), false, 1, 16, 24)]
    [DataRow(nameof(DataType.Float), false, null, 0, 0)]
    [DataRow(nameof(DataType.Float16), true, 1, 16, 24)]
    public void AConvolutionalNetworkGivesWhatItIsBuiltToGive(string type, bool last, int? batch, int height, int width)
    {
        using DisposeScope scope = NewDisposeScope();
        string path = _folder.At("net.onnx");
        HandMade.ColorNet(path, Enum.Parse<DataType>(type), last ? [height, width, 3] : [3, height, width], last, batch: batch);
        var unit = new ImagePreprocessing { Height = 16, Width = 24, Mean = [0, 0, 0], StandardDeviation = [1, 1, 1] };
        MaePretrainOptions options = Options(Objective.DistilledFrom(path) with { Preprocessing = unit }, s_config);
        using Teacher teacher = Teacher.Open((TeacherObjective)options.Objective, options, CPU);
        Assert.AreEqual(new TeacherAnswer(3, 3, 24), teacher.Answer);

        Tensor images = Images(5, options), colors = Units(images, options).flip(1);
        Tensor means = nn.functional.avg_pool2d(colors, 4), rows = teacher.Ask(images);
        Assert.AreEqual(ScalarType.Float16, rows.dtype);
        (Tensor embedding, Tensor? patches) = teacher.Answer.Split(rows.to_type(ScalarType.Float32));
        Close(nn.functional.normalize(means.mean([2, 3]), dim: 1), embedding);
        Close(nn.functional.normalize(means.flatten(2).transpose(1, 2), dim: 2), patches!);
        Close(rows[3].to_type(ScalarType.Float32), teacher.Ask(images.narrow(0, 3, 1))[0].to_type(ScalarType.Float32), 0);
    }

    [TestMethod]
    public void PatchesOfAnotherGridAreResizedAndTheImagesToo()
    {
        using DisposeScope scope = NewDisposeScope();
        string path = _folder.At("net.onnx");
        HandMade.ColorNet(path, DataType.Float, [3, 40, 40], side: 8);   // 5x5 squares for 4x6 patches
        MaePretrainOptions options = Options(Objective.DistilledFrom(path), s_config);
        using Teacher teacher = Teacher.Open((TeacherObjective)options.Objective, options, CPU);
        Tensor images = Images(2, options), mean = Channels([0.485f, 0.456f, 0.406f]), deviation = Channels([0.229f, 0.224f, 0.225f]);   // ImageNet's
        Tensor seen = nn.functional.interpolate(Units(images, options), [40, 40], mode: InterpolationMode.Bilinear, align_corners: false);
        Tensor map = nn.functional.avg_pool2d(((seen - mean) / deviation).flip(1), 8);
        map = nn.functional.interpolate(map, [4, 6], mode: InterpolationMode.Bilinear, align_corners: false);
        (_, Tensor? patches) = teacher.Answer.Split(teacher.Ask(images).to_type(ScalarType.Float32));
        Close(nn.functional.normalize(map.flatten(2).transpose(1, 2), dim: 2), patches!);
    }

    [TestMethod]
    public void OfAVectorTheEmbeddingAloneIsLearned()
    {
        using DisposeScope scope = NewDisposeScope();
        string path = _folder.At("net.onnx");
        HandMade.ColorNet(path, DataType.Float, [3, 16, 24], map: false);
        using MaskedAutoencoder model = new(s_config, seed: 1, target: DecoderTarget.None);
        MaePretrainOptions options = Options(Objective.DistilledFrom(path), s_config);
        using ObjectiveRun run = options.Objective.Begin(model, options, CPU);
        Assert.HasCount(2, run.Parameters);
        CollectionAssert.AreEqual((string[])["embedding.0.weight", "embedding.0.bias"], run.State.Select(s => s.Name).ToArray());
        PretrainBatch batch = Batch(Images(2, options));
        using (no_grad()) run.BatchReady(batch);
        Tensor predicted = model.Encoder.Pool(model.Encoder.forward(batch.Images), Pooling.Mean).matmul(run.Parameters[0].t()) + run.Parameters[1];
        double expected = 1 - nn.functional.cosine_similarity(predicted, batch.Targets!.to_type(ScalarType.Float32), 1, 1e-8).mean().ToDouble();
        Assert.AreEqual(expected, run.Loss(batch).ToDouble(), 1e-4);
    }

    [TestMethod]
    public void OneOutputCanBeNamedAndPatchesLeftOut()
    {
        string path = _folder.At("net.onnx");
        HandMade.ColorNet(path, DataType.Float, [3, 16, 24]);
        TeacherAnswer Answer(TeacherObjective objective)
        {
            using Teacher teacher = Teacher.Open(objective, Options(objective, s_config), CPU);
            return teacher.Answer;
        }
        TeacherObjective all = Objective.DistilledFrom(path);
        Assert.AreEqual(new TeacherAnswer(3, 3, 24), Answer(all));
        Assert.AreEqual(new TeacherAnswer(3, 0, 24), Answer(all with { OutputName = "vector" }));
        Assert.AreEqual(new TeacherAnswer(3, 3, 24), Answer(all with { OutputName = "map" }));
        Assert.AreEqual(new TeacherAnswer(3, 0, 24), Answer(all with { PatchWeight = 0 }));
    }

    [TestMethod]
    public void TheDistancesAndThePixelsAddUpAsTheirWeightsSay()
    {
        using DisposeScope scope = NewDisposeScope();
        string path = _folder.At("net.onnx");
        HandMade.ColorNet(path, DataType.Float, [3, 16, 24]);
        using MaskedAutoencoder model = TinyModels.Autoencoder();
        using var generator = new Generator(2);
        PatchMask mask = Masking.Random(0.75).Draw(2, 4, 6, generator);
        double Loss(Objective objective)
        {
            MaePretrainOptions options = Options(objective, s_config);
            using ObjectiveRun run = objective.Begin(model, options, CPU);
            PretrainBatch batch = Batch(Images(2, options), mask);
            using (no_grad()) run.BatchReady(batch);
            return run.Loss(batch).ToDouble();
        }
        TeacherObjective both = Objective.DistilledFrom(path);
        double embedding = Loss(both with { PatchWeight = 0 }), sum = Loss(both), pixels = Loss(Objective.Pixel());
        Assert.AreEqual(embedding + 0.25 * (sum - embedding), Loss(both with { PatchWeight = 0.25 }), 1e-5);
        Assert.AreEqual(sum + 3 * pixels, Loss(both with { Pixels = Objective.Pixel(), PixelWeight = 3 }), 1e-4);
        Assert.AreEqual((DecoderTarget.None, DecoderTarget.Pixels), (both.Target, (both with { Pixels = Objective.Pixel() }).Target));
    }

    [TestMethod]
    public void TheTeacherIsAskedOnceForAnImageAndForEachViewWhereViewsDiffer()
    {
        using DisposeScope scope = NewDisposeScope();
        string path = _folder.At("net.onnx");
        HandMade.ColorNet(path, DataType.Float, [3, 16, 24]);
        using MaskedAutoencoder model = TinyModels.Autoencoder();
        foreach (Augmentation? augmentation in (Augmentation?[])[null, Augmentation.HorizontalFlip()])
        {
            MaePretrainOptions options = Options(Objective.DistilledFrom(path), s_config) with { Augmentation = augmentation };
            using ObjectiveRun run = options.Objective.Begin(model, options, CPU);
            Tensor Targets(Tensor images, long[] indices)
            {
                PretrainBatch batch = Batch(images, indices: indices);
                run.BatchReady(batch);
                return batch.Targets!;
            }
            Tensor images = Images(3, options), flipped = images.flip(3);
            Tensor first = Targets(images, [7, 2, 5]), again = Targets(flipped.index_select(0, tensor((long[])[2, 0])), [5, 7]);
            Tensor kept = first.index_select(0, tensor((long[])[2, 0])), seen = Targets(flipped, [10, 11, 12]).index_select(0, tensor((long[])[2, 0]));
            Assert.IsTrue(again.Equals(augmentation is null ? kept : seen));
            Assert.IsFalse(again.Equals(augmentation is null ? seen : kept));
        }
    }

    [TestMethod]
    public void WhatIsKeptIsWhatWouldBeAskedAnew()
    {
        using ImageStore images = TinyModels.Images(s_config, 13);
        string path = SaveTeacher(s_config with { EmbedDim = 48, Depth = 3 });
        MaePretrainResult Run(ImageCacheOptions? cache)
        {
            TeacherObjective objective = Objective.DistilledFrom(path) with { Cache = cache, TeacherPooling = Pooling.Mean };
            return MaePretraining.Run(images, Options(objective, s_config) with { Epochs = 3 });
        }
        MaePretrainResult anew = Run(null), kept = Run(new ImageCacheOptions()), onDisk = Run(new ImageCacheOptions { MemoryBudget = 0, Directory = _folder.Path });
        AssertSame(anew, kept);
        AssertSame(anew, onDisk);
        foreach (MaePretrainResult result in (MaePretrainResult[])[anew, kept, onDisk]) result.Model.Dispose();
    }

    [TestMethod]
    public void MemoryGivesEachImageItsRowHoweverManyThereAreAndAsksOnlyForOthers()
    {
        const int length = 700_000, count = 6;   // 1.3 MiB a row: more than a block of memory takes, so that most lie in the file
        using DisposeScope scope = NewDisposeScope();
        var asked = new List<long>();
        using var memory = new TeacherMemory(length, new ImageCacheOptions { MemoryBudget = 0, Directory = _folder.Path });
        Tensor Rows(IEnumerable<long> images) =>
            cat([.. images.Select(i => arange(i, i + length, ScalarType.Float32).remainder(1000).unsqueeze(0))], 0).to_type(ScalarType.Float16);
        Tensor Recall(params long[] images) => memory.Recall(images, places =>
        {
            asked.AddRange(places.Select(p => images[p]));
            return Rows(places.Select(p => images[p]));
        });
        Assert.IsTrue(Recall(4, 0, 2).Equals(Rows([4, 0, 2])));
        Assert.IsTrue(Recall(5, 4, 3, 1).Equals(Rows([5, 4, 3, 1])));
        for (long i = 0; i < count; i++) Assert.IsTrue(Recall(i).Equals(Rows([i])));
        CollectionAssert.AreEqual((long[])[4, 0, 2, 5, 3, 1], asked);
    }

    [TestMethod]
    [DataRow(false, false)]
    [DataRow(true, false)]
    [DataRow(false, true)]
    public void AStoppedRunGoesOnAsIfItHadNot(bool onnx, bool augmented)
    {
        using ImageStore images = TinyModels.Images(s_config, 24);
        string path = SaveTeacher(s_config with { EmbedDim = 48, Depth = 3 }, onnx);
        MaePretrainOptions options = Options(Objective.DistilledFrom(path) with { Pixels = Objective.Pixel() }, s_config) with
        {
            Epochs = 4, Augmentation = augmented ? Augmentation.HorizontalFlip() : null,
        };
        MaePretrainResult whole = MaePretraining.Run(images, options);
        using var stop = new CancellationTokenSource();
        MaePretrainOptions saved = options with
        {
            Checkpoints = new CheckpointOptions { Directory = _folder.At("checkpoints"), Interval = TimeSpan.Zero },
            CancellationToken = stop.Token, Progress = new Told(p => { if (p.Step >= 5) stop.Cancel(); }),
        };
        Assert.ThrowsExactly<OperationCanceledException>(() => MaePretraining.Run(images, saved));
        List<string> log = [];
        MaePretrainResult rest = MaePretraining.Run(images, saved with { CancellationToken = default, Progress = null }, log: log.Add);
        Assert.IsTrue(log.Any(line => line.StartsWith("Going on from", StringComparison.Ordinal)), string.Join('\n', log));
        AssertSame(whole, rest);
        whole.Model.Dispose();
        rest.Model.Dispose();
    }

    [TestMethod]
    [DataRow(FeatureProjection.Linear, Precision.Float32)]
    [DataRow(FeatureProjection.Mlp, Precision.BFloat16)]
    public void TheLossFallsOnAllCoresAsWithoutAndTheEncoderHasNoHead(FeatureProjection projection, Precision precision)
    {
        using ImageStore images = TinyModels.Images(s_config, 32);
        TeacherObjective objective = Objective.DistilledFrom(SaveTeacher(s_config with { EmbedDim = 48, Depth = 3 })) with { Projection = projection };
        MaePretrainOptions options = Options(objective, s_config) with { Epochs = 12, BatchSize = 16, LearningRate = 3e-3, Precision = precision };
        MaePretrainResult result = MaePretraining.Run(images, options), plain = MaePretraining.Run(images, options with { Plain = true });
        Assert.IsLessThan(0.5 * result.FirstLoss, result.LastLoss);
        if (precision == Precision.Float32) Assert.AreEqual(plain.LastLoss, result.LastLoss, 0.01 * plain.LastLoss);
        CollectionAssert.AreEquivalent(
            ModelWeights.Of(new VisionTransformer(s_config)).Select(w => w.Name).ToArray(), ModelWeights.Of(result.Encoder.Model).Select(w => w.Name).ToArray());
        result.Encoder.ExportOnnx(_folder.At("student.onnx"), new OnnxExportOptions { Output = OnnxOutput.Tokens });
        Options(Objective.DistilledFrom(_folder.At("student.onnx")), s_config).Validate();   // and can teach in turn
        result.Model.Dispose();
        plain.Model.Dispose();
    }

    [TestMethod]
    public void AnotherTeacherUnderTheSameNameIsAnotherRunAndAnotherCacheIsNot()
    {
        TeacherObjective objective = Objective.DistilledFrom(SaveTeacher(s_config, seed: 1));
        string first = objective.Identity;
        Assert.AreEqual(first, (objective with { Cache = null }).Identity);
        Assert.AreNotEqual(first, (objective with { PatchWeight = 0.5 }).Identity);
        var given = new ImagePreprocessing { Height = 16, Width = 24, Mean = [0.5f, 0.5f, 0.5f] };
        Assert.AreNotEqual((objective with { Preprocessing = given }).Identity, (objective with { Preprocessing = given with { Mean = [0.4f, 0.5f, 0.5f] } }).Identity);
        CultureInfo before = CultureInfo.CurrentCulture;
        try
        {
            TeacherObjective decimals = objective with { PatchWeight = 0.5, Preprocessing = given };
            string here = decimals.Identity;
            var comma = (CultureInfo)CultureInfo.InvariantCulture.Clone();
            comma.NumberFormat.NumberDecimalSeparator = ",";
            CultureInfo.CurrentCulture = comma;
            Assert.AreEqual(here, decimals.Identity);
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
        SaveTeacher(s_config, seed: 2);
        Assert.AreNotEqual(first, objective.Identity);
    }

    [TestMethod]
    [DataRow(257, 224, 16, 1)]     // ViT-S/14, DINOv2
    [DataRow(261, 224, 16, 5)]     // the same with four registers
    [DataRow(197, 224, 14, 1)]     // ViT-B/16
    [DataRow(196, 224, 14, 0)]     // SigLIP
    [DataRow(50, 224, 7, 1)]       // CLIP ViT-B/32
    [DataRow(577, 384, 24, 1)]
    [DataRow(1370, 518, 37, 1)]
    [DataRow(77, 224, 0, 0)]       // a text's
    public void TokensOfPublishedModelsAreUnderstood(int tokens, int side, int grid, int others)
    {
        TokenLayout? layout = TokenLayout.Of(tokens, side, side, null);
        Assert.AreEqual(grid == 0 ? null : new TokenLayout(grid, grid, others, others > 0 ? 0 : null), layout);
    }

    [TestMethod]
    public void WhatCannotTeachIsNamedBeforeImagesAreRead()
    {
        string Path(string name, Action<string> make)
        {
            make(_folder.At(name));
            return _folder.At(name);
        }
        string net = Path("net.onnx", path => HandMade.ColorNet(path, DataType.Float, [3, 16, 24]));
        TeacherObjective good = Objective.DistilledFrom(net);
        Options(good, s_config).Validate();
        Refused(Objective.DistilledFrom(_folder.At("none.onnx")), "none.onnx is not there");
        Refused(Objective.DistilledFrom(_folder.At("none.safetensors")), "none.safetensors is not there");
        Refused(Objective.DistilledFrom(" "), "Objective.Teacher is  ");
        Refused(Objective.DistilledFrom(Path("text.onnx", path => File.WriteAllText(path, "no model"))), "text.onnx is not an ONNX file");
        Refused(good with { OutputName = "features" }, "has no output 'features': it has 'map' [1, 3, 4, 6] of Float, 'vector' [1, 3] of Float");
        Refused(good with { TeacherPooling = Pooling.ClassToken }, "gives no class token");
        Refused(good with { OutputName = "vector", TeacherPooling = Pooling.Mean }, "as TeacherPooling is Mean one of the last two");
        Refused(good with { Preprocessing = new ImagePreprocessing { Height = 24, Width = 24 } }, "takes images of 16x24, Objective.Preprocessing gives 24x24");
        Refused(good with { Preprocessing = new ImagePreprocessing { Height = 16, Width = 24, Mean = [0] } }, "Objective.Preprocessing: Mean has 1 numbers");
        Refused(good with { PatchWeight = -1 }, "Objective.PatchWeight is -1");
        Refused(good with { Pixels = Objective.Pixel() with { Epsilon = -1 } }, "Objective.Pixels.Epsilon is -1");
        Refused(good with { Device = OnnxDevice.Cuda }, "Cuda (device 0) cannot be used");
        Refused(good, "takes images of 3 channels, the encoder of 1", s_config with { Channels = 1 });
        Refused(Objective.DistilledFrom(Path("two.onnx", p => HandMade.ColorNet(p, DataType.Float, [3, 16, 24], batch: 2))), "takes 2 images at a time");
        Refused(Objective.DistilledFrom(Path("ints.onnx", p => HandMade.OneNode(p, "Identity", DataType.Int64, [3, 8, 8]))), "takes images as Int64");
        Refused(Objective.DistilledFrom(Path("ids.onnx", p => HandMade.OneNode(p, "Identity", DataType.Int64, [77]))), "takes 'input' [any, 77]: expected images alone");
        Refused(
            Objective.DistilledFrom(Path("classes.onnx", p => HandMade.OneNode(p, "ArgMax", DataType.Float, [3, 8, 8], null, ("axis", 1L)))),
            "gives 'output' [1, 1, 8, 8] of Int64: expected a vector");
        using (MaskedAutoencoder autoencoder = TinyModels.Autoencoder())
            autoencoder.ExportOnnx(_folder.At("autoencoder.onnx"), new MaePretrainOptions { Encoder = s_config });
        Refused(Objective.DistilledFrom(_folder.At("autoencoder.onnx")), "'mask' [any, 24]: expected images alone");
        Refused(Objective.DistilledFrom(SaveTeacher(s_config, onnx: false)) with { OutputName = "tokens" }, "is no ONNX file and has no output 'tokens'");
        Refused(Objective.DistilledFrom(SaveTeacher(s_config with { Channels = 1 })), "takes images of 1 channels, the encoder of 3");
    }

    private static MaePretrainOptions Options(Objective objective, VisionTransformerConfig encoder) => new()
    {
        Encoder = encoder, Objective = objective, Epochs = 2, BatchSize = 8, LearningRate = 1e-3, Seed = 3,
        Mean = TinyModels.Preprocessing(encoder).Mean, StandardDeviation = TinyModels.Preprocessing(encoder).StandardDeviation,
    };

    private static void Refused(Objective objective, string part, VisionTransformerConfig? encoder = null)
    {
        using ImageStore images = TinyModels.Images(encoder ?? s_config, 2);
        MaePretrainOptions options = Options(objective, encoder ?? s_config) with { Progress = new Told(_ => Assert.Fail("a step was taken")) };
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => MaePretraining.Run(images, options)).Message, part);
    }

    /// <summary>A teacher with random weights in a file.</summary>
    private string SaveTeacher(VisionTransformerConfig config, bool onnx = true, int seed = 4)
    {
        using ImageEncoder encoder = TinyModels.Encoder(config, seed: seed);
        string path = _folder.At(onnx ? "teacher.onnx" : "teacher.safetensors");
        if (onnx) encoder.ExportOnnx(path, new OnnxExportOptions { Output = OnnxOutput.Tokens });
        else encoder.Save(path);
        return path;
    }

    private static VisionTransformer Copy(VisionTransformer model)
    {
        var copy = new VisionTransformer(model.Config);
        using var noGrad = no_grad();
        foreach (((_, Tensor to), (_, Tensor from)) in ModelWeights.Of(copy).Zip(ModelWeights.Of(model))) to.copy_(from);
        return copy;
    }

    private static void MakeIdentity(IReadOnlyList<Parameter> head)
    {
        using var noGrad = no_grad();
        foreach (Parameter parameter in head)
            if (parameter.dim() == 2) parameter.copy_(eye(parameter.size(0)));
            else parameter.zero_();
    }

    /// <summary>Normalised images of which each pixel was a byte.</summary>
    private static Tensor Images(int count, MaePretrainOptions options)
    {
        using ImageStore store = TinyModels.Images(options.Encoder, count);
        using var normalizer = new ImageNormalizer(options.Preprocessing, CPU);
        return normalizer.Normalize(store.Batch([.. Enumerable.Range(0, count).Select(i => (long)i)]));
    }

    private static Tensor Units(Tensor images, MaePretrainOptions options)
    {
        Tensor units = images * Channels(options.Preprocessing.StandardDeviation) + Channels(options.Preprocessing.Mean);
        return options.Objective is TeacherObjective { Teacher: var path } && OnnxInputIsBytes(path) ? (units * 255).round() : units;
    }

    private static bool OnnxInputIsBytes(string path) => Onnx.Load(path).Graph.Input[0].Type.TensorType.ElemType == (int)DataType.Uint8;

    private static Tensor Channels(IEnumerable<float> values) => tensor(values.ToArray(), [1, 3, 1, 1]);

    private static PretrainBatch Batch(Tensor images, PatchMask? mask = null, long[]? indices = null)
    {
        using var generator = new Generator(1);
        PatchMask drawn = mask ?? Masking.Random(0.5).Draw(images.size(0), 4, 6, generator);
        return new PretrainBatch(new TrainingPosition(0, 1, 0, 1), (int)images.size(0), () => images, () => drawn)
        {
            Indices = indices ?? [.. Enumerable.Range(0, (int)images.size(0)).Select(i => (long)i)],
        };
    }

    private static void Close(Tensor expected, Tensor found, double tolerance = 2e-3)
    {
        CollectionAssert.AreEqual(expected.shape, found.shape);
        Assert.IsLessThanOrEqualTo(tolerance, (expected - found).abs().max().ToDouble());
    }

    private static void AssertSame(MaePretrainResult expected, MaePretrainResult found)
    {
        CollectionAssert.AreEqual(expected.History.Select(e => e.Loss).ToArray(), found.History.Select(e => e.Loss).ToArray());
        foreach (((string name, Tensor one), (_, Tensor other)) in ModelWeights.Of(expected.Model).Zip(ModelWeights.Of(found.Model)))
            Assert.IsTrue(one.Equals(other), name);
    }

    private sealed class Told(Action<TrainingProgress> report) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => report(value);
    }
}
