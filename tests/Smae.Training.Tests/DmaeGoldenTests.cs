using System.Globalization;
using System.Text.Json;
using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

/// <summary>
/// Ours computes what the published codes of DMAE compute, from their own weights: that of the paper (UCSC-VLAA) and that for small images
/// (altansnl).
/// </summary>
[TestClass]
public sealed class DmaeGoldenTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("smae-dmae-").FullName;

    public static IEnumerable<object[]> Files =>
        Golden.Files(f => f.Metadata.ContainsKey("teacher_aligned_block")).Select(path => new object[] { path });

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [TestMethod]
    [DynamicData(nameof(Files))]
    public void FeaturesAndLossesAgreeToOneInAHundredThousand(string path) => Run(path, (file, model, objective, run, batch) =>
    {
        (Reconstruction reconstruction, IReadOnlyList<(Tensor Student, Tensor Teacher)> features) = run.Compare(batch);
        int block = objective.StudentBlocks![0];
        Close.To(file.Read("output.student_feature"), model.Reconstruct(batch.Images, batch.Mask).Streams[block], 1e-5, "student feature");
        Close.To(file.Read("output.projected_feature"), features.Single().Student, 1e-5, "projected feature");
        Close.To(file.Read("output.teacher_feature"), features.Single().Teacher, 1e-5, "teacher feature");
        Assert.IsFalse(features.Single().Teacher.requires_grad);
        Close.To(file.Read("output.student_latent"), reconstruction.Latent, 1e-5, "latent");
        Close.To(file.Read("output.prediction"), reconstruction.Prediction, 1e-5, "prediction");

        Tensor pixel = objective.Pixels.Loss(reconstruction), total = run.Loss(batch);
        Close.To(file.Read("output.pixel_loss"), pixel.reshape(1), 1e-5, "pixel loss");
        Close.To(file.Read("output.distillation_loss"), ((total - pixel) / objective.Weight).reshape(1), 1e-5, "distillation loss");
        Close.To(file.Read("output.total_loss"), total.reshape(1), 1e-5, "total loss");
    });

    [TestMethod]
    [DynamicData(nameof(Files))]
    public void GradientsAgreeToOneInTenThousand(string path) => Run(path, (file, model, objective, run, batch) =>
    {
        run.Loss(batch).backward();
        GoldenModel.CompareGradients(ModelWeights.Of(model), file, name => "grad." + Names(file).Student(name));
        GoldenModel.CompareGradients(run.State, file, name => "grad." + Names(file).Head(name));
    });

    [TestMethod]
    [DynamicData(nameof(Files))]
    public void TheTeacherSeesTheImagesResizedByHalfPixelCentres(string path) => Run(path, (file, model, objective, run, batch) =>
    {
        MaePretrainOptions options = Options(model, objective);
        using FrozenTeacher teacher = FrozenTeacher.Load(objective.Teacher, objective.Architecture, objective.TeacherBlocks![^1], options, CPU);
        Tensor seen = teacher.Resized(batch.Images).narrow(0, 0, 1);
        Tensor expected = file.Contains("output.teacher_resized_first_image")
            ? file.Read("output.teacher_resized_first_image") : batch.Images.narrow(0, 0, 1);
        Close.To(expected, seen, 1e-5, "images");
    });

    private void Run(string path, Action<SafeTensorsFile, MaskedAutoencoder, DistillationObjective, DistillationObjective.Run, PretrainBatch> check)
    {
        using DisposeScope scope = NewDisposeScope();
        SafeTensorsFile file = SafeTensors.Open(path);
        bool small = IsSmall(file);
        JsonElement student = file.Json("student"), teacher = file.Json("teacher");
        using MaskedAutoencoder model = Create(file, student, small);
        DistillationObjective objective = Create(file, teacher, Teacher(file), small);
        using var run = (DistillationObjective.Run)objective.Begin(model, Options(model, objective), CPU);
        GoldenModel.Fill(run.State, file, name => "weights." + Names(file).Head(name));
        check(file, model, objective, run, new GivenBatch(file.Read("input.images"), file.Mask()));
    }

    private static MaePretrainOptions Options(MaskedAutoencoder model, DistillationObjective objective)
    {
        MaePretrainOptions options = TinyModels.Options with { Encoder = model.Config, Decoder = model.DecoderConfig, Objective = objective };
        options.Validate();
        return options;
    }

    private static MaskedAutoencoder Create(SafeTensorsFile file, JsonElement shape, bool small)
    {
        int size = file.Int("img_size");
        double epsilon = file.Number("layer_norm_eps");
        double Ratio(string key) => shape.GetProperty(key).GetDouble();
        var encoder = new VisionTransformerConfig
        {
            ImageHeight = size, ImageWidth = size, PatchSize = file.Int("patch_size"), LayerNormEpsilon = epsilon,
            EmbedDim = shape.Int(small ? "enc_embed_dim" : "embed_dim"), Depth = shape.Int(small ? "enc_num_layers" : "depth"),
            NumHeads = shape.Int(small ? "enc_num_heads" : "num_heads"), MlpRatio = Ratio(small ? "enc_hidden_dim_ratio" : "mlp_ratio"),
        };
        var decoder = new DecoderConfig
        {
            LayerNormEpsilon = epsilon, EmbedDim = shape.Int(small ? "dec_embed_dim" : "decoder_embed_dim"),
            Depth = shape.Int(small ? "dec_num_layers" : "decoder_depth"), NumHeads = shape.Int(small ? "dec_num_heads" : "decoder_num_heads"),
            MlpRatio = Ratio(small ? "dec_hidden_dim_ratio" : "mlp_ratio"),
        };
        var model = new MaskedAutoencoder(encoder, decoder);
        GoldenModel.Fill(ModelWeights.Of(model), file, name => "weights." + Names(file).Student(name));
        return model;
    }

    private static DistillationObjective Create(SafeTensorsFile file, JsonElement teacher, string weights, bool small)
    {
        int size = small ? teacher.Int("img_size") : file.Int("img_size");
        var architecture = new VisionTransformerConfig
        {
            ImageHeight = size, ImageWidth = size, PatchSize = small ? teacher.Int("patch_size") : file.Int("patch_size"),
            EmbedDim = teacher.Int("embed_dim"), Depth = teacher.Int("depth"), NumHeads = teacher.Int("num_heads"),
            MlpRatio = teacher.GetProperty("mlp_ratio").GetDouble(), LayerNormEpsilon = file.Number("layer_norm_eps"),
        };
        if (small)
            return Objective.DistilledRawFeatures(weights, architecture) with
            {
                StudentBlocks = [int.Parse(file.Metadata["student_aligned_block"].Split(' ')[0], CultureInfo.InvariantCulture) - 1],
                TeacherBlocks = [teacher.Int("depth") - 1], Weight = file.Number("alpha"),
            };
        return Objective.DistilledFeatures(weights, architecture) with
        {
            StudentBlocks = JsonSerializer.Deserialize<BlockList>(file.Metadata["student_aligned_block"]),
            TeacherBlocks = JsonSerializer.Deserialize<BlockList>(file.Metadata["teacher_aligned_block"]),
            Weight = file.Number("distillation_weight"), Pixels = Objective.Pixel(file.Json("norm_pix_loss").GetBoolean()),
        };
    }

    /// <summary>The teacher's weights in a file of their own, under the names of timm, as published ones are.</summary>
    private string Teacher(SafeTensorsFile file)
    {
        const string Prefix = "teacher.";
        string Ours(string name) => !IsSmall(file) ? name : name
            .Replace("backbone.", "blocks.", StringComparison.Ordinal).Replace("input_layer.", "patch_embed.", StringComparison.Ordinal)
            .Replace("pos_embedding", "pos_embed", StringComparison.Ordinal);
        string path = Path.Combine(_folder, "teacher.safetensors");
        IEnumerable<string> names = file.Names.Where(n => n.StartsWith(Prefix, StringComparison.Ordinal));
        SafeTensors.Save(path, names.Select(n => (Ours(n[Prefix.Length..]), file.Read(n))));
        return path;
    }

    private static bool IsSmall(SafeTensorsFile file) => file.Metadata.ContainsKey("teacher_input");

    /// <summary>The names that a file gives tensors of ours.</summary>
    private static (Func<string, string> Student, Func<string, string> Head) Names(SafeTensorsFile file)
    {
        if (!IsSmall(file))
            return (name => name, name => name.Replace("projection.0.0.", "aligned_feature_projection_heads.0.", StringComparison.Ordinal));
        (string Ours, string Theirs)[] parts =
        [
            ("decoder_embed.", "decoder.input_layer."), ("decoder_pos_embed", "decoder.pos_embedding"), ("decoder_blocks.", "decoder.neck."),
            ("decoder_norm.", "decoder.norm."), ("decoder_pred.", "decoder.pred_proj."), ("mask_token", "decoder.mask_token"),
            ("cls_token", "encoder.cls_token"), ("pos_embed", "encoder.pos_embedding"), ("patch_embed.", "encoder.input_layer."),
            ("blocks.", "encoder.backbone."), ("norm.", "encoder.norm."),
        ];
        string Student(string name)
        {
            (string ours, string theirs) = parts.First(p => name.StartsWith(p.Ours, StringComparison.Ordinal));
            return theirs + name[ours.Length..];
        }
        return (Student, name => name.Replace("projection.0.", "encoder.proj_st_2_teach.", StringComparison.Ordinal));
    }
}
