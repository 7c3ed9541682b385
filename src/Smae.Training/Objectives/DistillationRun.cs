using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>A run of <see cref="DistillationObjective"/>: the teacher, and a head for each pair of blocks.</summary>
internal sealed class DistillationRun : ObjectiveRun
{
    private readonly DistillationObjective _objective;
    private readonly MaskedAutoencoder _model;
    private readonly FrozenTeacher _teacher;
    private readonly BlockList _studentBlocks;
    private readonly BlockList _teacherBlocks;
    private readonly ProjectionHead[] _heads;

    public DistillationRun(DistillationObjective objective, MaskedAutoencoder model, MaePretrainOptions options, Device device)
    {
        (_objective, _model) = (objective, model);
        _studentBlocks = objective.StudentBlocks ?? FrozenTeacher.AtThreeQuarters(model.Config);
        (string path, VisionTransformerConfig? architecture) = (objective.Teacher, objective.Architecture);
        _teacherBlocks = objective.TeacherBlocks ?? FrozenTeacher.AtThreeQuarters(FrozenTeacher.Describe(path, architecture).Shape);
        _teacher = FrozenTeacher.Load(path, architecture, _teacherBlocks[^1], options, device);
        using var generator = new Generator((ulong)RandomStream.Mix(options.Seed ?? 0, 3));
        var draw = new WeightInitializer(model.Config.Initialization, generator);
        int from = model.Config.EmbedDim, to = _teacher.Model.Config.EmbedDim;
        int[] widths = objective.Projection == FeatureProjection.Linear ? [from, to] : [from, to, to];
        _heads = [.. _studentBlocks.Select(_ => new ProjectionHead(widths))];
        foreach (ProjectionHead head in _heads)
        {
            draw.XavierLinears(head);
            head.to(device);
        }
    }

    public override IReadOnlyList<Parameter> Parameters => [.. _heads.SelectMany(head => head.parameters())];

    public override IEnumerable<(string Name, Tensor Tensor)> State =>
        _heads.SelectMany((head, i) => head.named_parameters().Select(p => ($"projection.{i}.{p.Item1}", (Tensor)p.Item2)));

    public override bool IsMeanOverImages => true;

    public override Tensor Loss(PretrainBatch batch)
    {
        (Reconstruction reconstruction, IReadOnlyList<(Tensor Student, Tensor Teacher)> features) = Compare(batch);
        Tensor loss = _objective.Pixels.Loss(reconstruction);
        foreach ((Tensor student, Tensor teacher) in features)
            loss += _objective.Weight * (Scaled(student) - Scaled(teacher)).abs().mean();
        return loss;
    }

    /// <summary>What the model makes of a batch, and for each pair of blocks the projected features and the teacher's, token by token.</summary>
    internal (Reconstruction Reconstruction, IReadOnlyList<(Tensor Student, Tensor Teacher)> Features) Compare(PretrainBatch batch)
    {
        IReadOnlyList<Tensor> teacher = _teacher.Features(batch.Images, batch.Mask.Visible, _teacherBlocks);
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

    /// <summary>The tokens of student and teacher in one order; class tokens only where both have one.</summary>
    private (Tensor Student, Tensor Teacher) Corresponding(Tensor student, Tensor teacher)
    {
        ClassToken own = _model.Config.ClassToken, other = _teacher.Model.Config.ClassToken;
        if (own == other) return (student, teacher);
        Tensor patches = _teacher.Model.WithoutClassToken(teacher);
        if (own == ClassToken.None || other == ClassToken.None) return (_model.Encoder.WithoutClassToken(student), patches);
        Tensor token = _teacher.Model.Pool(teacher, Pooling.ClassToken).unsqueeze(1);
        return (student, own == ClassToken.First ? cat([token, patches], 1) : cat([patches, token], 1));
    }

    private Tensor Scaled(Tensor features) => _objective.NormalizeFeatures ? nn.functional.normalize(features, dim: -1) : features;

    public override void Dispose()
    {
        _teacher.Dispose();
        foreach (ProjectionHead head in _heads) head.Dispose();
        base.Dispose();
    }
}
