using System.ComponentModel.DataAnnotations;
using TorchSharp.Modules;

namespace Smae.Training;

/// <summary>
/// DMAE, distillation from a masked autoencoder ("Masked Autoencoders Enable Efficient Knowledge Distillers", Bai et al. 2023): the pixel loss, plus the mean
/// absolute difference between features of the encoder and of a frozen, larger teacher that sees the same visible patches. Features are the residual stream
/// right after a block, not normalised by the encoder's norm; the class token counts where both encoders have one. A linear head brings the encoder's to the
/// teacher's width.
/// </summary>
public sealed record DistillationObjective : Objective
{
    internal DistillationObjective(string teacher, VisionTransformerConfig? architecture)
    {
        ArgumentNullException.ThrowIfNull(teacher);
        (Teacher, Architecture) = (teacher, architecture);
    }

    /// <summary>
    /// The teacher's weights: all that <see cref="ImageEncoder.Load"/> takes, or a file as published for timm, facebookresearch/mae or facebookresearch/dinov2.
    /// Blocks after the last that is needed may be missing.
    /// </summary>
    public string Teacher { get; }

    /// <summary>The teacher's shape, for images of the size that it was trained on; null takes that of the JSON file beside its weights.</summary>
    public VisionTransformerConfig? Architecture { get; }

    /// <summary>The encoder's blocks that are compared, from 0; null, the default, is the one at three quarters of the depth, block 8 of 12.</summary>
    public BlockList? StudentBlocks { get; init; }

    /// <summary>The teacher's blocks, one for each of the encoder's; null, the default, is the one at three quarters of the depth, block 17 of 24.</summary>
    public BlockList? TeacherBlocks { get; init; }

    /// <summary>How the encoder's features are brought to the teacher's width. Default <see cref="FeatureProjection.Linear"/>.</summary>
    public FeatureProjection Projection { get; init; } = FeatureProjection.Linear;

    /// <summary>Whether the features of each token are divided by their L2 norm before they are compared. Default true.</summary>
    public bool NormalizeFeatures { get; init; } = true;

    /// <summary>What the difference of the features is multiplied by. Default 1.</summary>
    [Range(0, double.MaxValue, MinimumIsExclusive = true)] public double Weight { get; init; } = 1;

    /// <summary>The pixel loss. Default that of raw pixels over hidden patches, as in the paper's code.</summary>
    public PixelObjective Pixels { get; init; } = Pixel(normalizePatches: false);

    /// <inheritdoc/>
    public override PixelObjective PixelTarget => Pixels;

    /// <inheritdoc/>
    protected internal override string Identity => $"{base.Identity} {SafeTensors.Open(EncoderFiles.Find(Teacher).Weights).ContentHash()}";

    /// <inheritdoc/>
    protected internal override IEnumerable<string> Faults(MaePretrainOptions options)
    {
        foreach (string fault in StudentBlocks?.Faults("Objective.StudentBlocks", options.Encoder.Depth) ?? []) yield return fault;
        foreach (string fault in FrozenTeacher.Faults(Teacher, Architecture, options.Encoder, TeacherBlocks)) yield return fault;
        (int student, int teacher) = (StudentBlocks?.Count ?? 1, TeacherBlocks?.Count ?? 1);
        if (student != teacher)
            yield return $"Objective.StudentBlocks and Objective.TeacherBlocks name {student} and {teacher} blocks: expected one for each other.";
        foreach (string fault in Expect(Pixels, Pixels is not null, "a pixel loss")) yield return fault;
    }

    /// <inheritdoc/>
    /// <exception cref="InvalidDataException">The teacher's file is damaged or does not fit; the message names each tensor.</exception>
    public override ObjectiveRun Begin(MaskedAutoencoder model, MaePretrainOptions options, Device device) => new Run(this, model, options, device);

    internal sealed class Run : ObjectiveRun
    {
        private readonly DistillationObjective _objective;
        private readonly MaskedAutoencoder _model;
        private readonly FrozenTeacher _teacher;
        private readonly BlockList _studentBlocks, _teacherBlocks;
        private readonly Sequential[] _heads;

        public Run(DistillationObjective objective, MaskedAutoencoder model, MaePretrainOptions options, Device device)
        {
            (_objective, _model) = (objective, model);
            _studentBlocks = objective.StudentBlocks ?? FrozenTeacher.AtThreeQuarters(model.Config);
            (string path, VisionTransformerConfig? architecture) = (objective.Teacher, objective.Architecture);
            _teacherBlocks = objective.TeacherBlocks ?? FrozenTeacher.AtThreeQuarters(FrozenTeacher.Describe(path, architecture).Shape);
            _teacher = Own(FrozenTeacher.Load(path, architecture, _teacherBlocks[^1], options, device));
            using Generator generator = options.HeadGenerator();
            var draw = new WeightInitializer(model.Config.Initialization, generator);
            int from = model.Config.EmbedDim, to = _teacher.Model.Config.EmbedDim;
            int[] widths = objective.Projection == FeatureProjection.Linear ? [from, to] : [from, to, to];
            _heads = [.. _studentBlocks.Select(_ => Own(ProjectionHead.Create(widths)))];
            foreach (Sequential head in _heads)
            {
                draw.XavierLinears(head);
                head.to(device);
            }
        }

        public override IReadOnlyList<Parameter> Parameters => [.. _heads.SelectMany(head => head.parameters())];

        public override IEnumerable<(string Name, Tensor Tensor)> State =>
            _heads.SelectMany((head, i) => ModelWeights.Named(head, $"projection.{i}."));

        public override bool IsMeanOverImages => true;

        public override Tensor Loss(PretrainBatch batch)
        {
            (Reconstruction reconstruction, IReadOnlyList<(Tensor Student, Tensor Teacher)> features) = Compare(batch);
            Tensor loss = _objective.Pixels.Loss(reconstruction);
            foreach ((Tensor student, Tensor teacher) in features)
                loss = loss.Plus((Scaled(student) - Scaled(teacher)).abs().mean().Times(_objective.Weight));
            return loss;
        }

        /// <summary>What the model makes of a batch, and for each pair of blocks the projected features and the teacher's, token by token.</summary>
        internal (Reconstruction Reconstruction, IReadOnlyList<(Tensor Student, Tensor Teacher)> Features) Compare(PretrainBatch batch)
        {
            IReadOnlyList<Tensor> teacher = _teacher.Features(batch.Images, batch.Mask, _teacherBlocks);
            (Reconstruction reconstruction, IReadOnlyList<Tensor> streams) = _model.Reconstruct(batch.Images, batch.Mask);
            ScalarType compute = _model.Precision.ToScalarType();
            var features = new List<(Tensor, Tensor)>();
            for (int i = 0; i < _heads.Length; i++)
            {
                (Tensor own, Tensor other) = Corresponding(streams[_studentBlocks[i]], teacher[i]);
                features.Add((_heads[i].forward(own.to_type(compute)).to_type(ScalarType.Float32), other));
            }
            return (reconstruction, features);
        }

        /// <summary>The tokens of student and teacher in one order; class tokens only where both have one, no registers.</summary>
        private (Tensor Student, Tensor Teacher) Corresponding(Tensor student, Tensor teacher)
        {
            VisionTransformerConfig own = _model.Config, other = _teacher.Model.Config;
            if (own.ClassToken == other.ClassToken && own.RegisterTokens + other.RegisterTokens == 0) return (student, teacher);
            Tensor Ordered(VisionTransformer model, Tensor tokens)
            {
                Tensor patches = model.PatchTokens(tokens);
                if (own.ClassToken == ClassToken.None || other.ClassToken == ClassToken.None) return patches;
                Tensor token = model.Pool(tokens, Pooling.ClassToken).unsqueeze(1);
                return own.ClassToken == ClassToken.First ? cat([token, patches], 1) : cat([patches, token], 1);
            }
            return (Ordered(_model.Encoder, student), Ordered(_teacher.Model, teacher));
        }

        private Tensor Scaled(Tensor features) => _objective.NormalizeFeatures ? nn.functional.normalize(features, dim: -1) : features;
    }
}

/// <summary>How features of a student are brought to the width of its teacher's.</summary>
public enum FeatureProjection
{
    /// <summary>By one linear layer (Bai et al. 2023).</summary>
    Linear,

    /// <summary>By a linear layer to the teacher's width, exact GELU and another linear layer (Garcia, Senel and Frantzolas).</summary>
    Mlp,
}
