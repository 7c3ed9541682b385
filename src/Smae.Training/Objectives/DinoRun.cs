using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>DINO at work: the student's head, the teacher, the centre.</summary>
internal sealed class DinoRun : ObjectiveRun
{
    private const int TriedImages = 32;
    private readonly DinoObjective _settings;
    private readonly VisionTransformer _student;
    private readonly DinoHead _head;
    private readonly VisionTransformer _teacher;
    private readonly DinoHead _teacherHead;
    private readonly DinoLoss _loss;
    private readonly Augmentation[] _views;
    private readonly Pooling _pooling;

    /// <exception cref="ArgumentException">A view's augmentation has no meaning for such images.</exception>
    public DinoRun(DinoObjective settings, MaskedAutoencoder model, MaePretrainOptions options, Device device)
    {
        (_settings, _student) = (settings, model.Encoder);
        _pooling = model.Config.ClassToken == ClassToken.None ? Pooling.Mean : Pooling.ClassToken;
        _views = [.. Views(settings, model.Config)];
        CheckViews(model.Config);
        long seed = options.Seed ?? 0;
        using var generator = new Generator((ulong)RandomStream.Mix(seed, 3));
        _head = new DinoHead(model.Config.EmbedDim, settings, generator).to(device);
        _teacherHead = new DinoHead(model.Config.EmbedDim, settings, generator).to(device);
        _teacher = new VisionTransformer(model.Config with { Dropout = 0 }, seed).to(device);
        _teacher.Precision = model.Precision;
        _loss = new DinoLoss(settings, device);
        foreach (Parameter parameter in TeacherParameters) parameter.requires_grad_(false);
        MovingAverage.Update(TeacherParameters, StudentParameters, momentum: 0);
    }

    public override IReadOnlyList<Parameter> Parameters => [.. _head.parameters()];

    public override IEnumerable<(string Name, Tensor Tensor)> State =>
    [
        ("center", _loss.Center), .. Named("head", _head), .. Named("teacher.head", _teacherHead), .. Named("teacher.encoder", _teacher),
    ];

    private IEnumerable<Parameter> StudentParameters => [.. _student.parameters(), .. _head.parameters()];

    private IEnumerable<Parameter> TeacherParameters => [.. _teacher.parameters(), .. _teacherHead.parameters()];

    public override int FrozenEpochs(Parameter parameter) =>
        _head.LastLayer.Any(p => ReferenceEquals(p, parameter)) ? _settings.FrozenLastLayerEpochs : 0;

    public override Tensor Loss(PretrainBatch batch)
    {
        Tensor[] crops = [.. _views.Select((view, i) => batch.View(i, view))];
        Tensor large = cat(crops[..2], 0);
        Tensor teacher;
        using (no_grad()) teacher = TeacherLogits(large);
        Tensor features = Features(_student, large);
        if (crops.Length > 2) features = cat([features, Features(_student, cat(crops[2..], 0))], 0);
        return _loss.Of(_head.forward(features), teacher, batch.Position.Epoch);
    }

    /// <summary>What the teacher says of images, before it is centred and sharpened.</summary>
    /// <param name="images">Normalised images, <c>[batch, channels, height, width]</c>.</param>
    /// <returns><c>[batch, outputs]</c>.</returns>
    internal Tensor TeacherLogits(Tensor images) => _teacherHead.forward(Features(_teacher, images));

    public override void GradientsReady(TrainingPosition position)
    {
        if (_settings.ClipTensorNorm is { } limit) TensorClipping.Clip(StudentParameters, limit);
    }

    public override void StepEnded(TrainingPosition position)
    {
        _loss.MoveCenter();
        MovingAverage.Update(TeacherParameters, StudentParameters, _settings.TeacherMomenta(position.TotalSteps).At(position.Step));
    }

    public override void RunEnded()
    {
        if (_settings.KeepTeacher) MovingAverage.Update(_student.parameters(), _teacher.parameters(), momentum: 0);
    }

    private Tensor Features(VisionTransformer encoder, Tensor images) => encoder.Pool(encoder.EncodeCrops(images), _pooling);

    /// <summary>Tries the views on black images, so many that what is done to a few of them is tried too.</summary>
    private void CheckViews(VisionTransformerConfig config)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor images = zeros(TriedImages, config.Channels, config.ImageHeight, config.ImageWidth);
        string[] names = [nameof(DinoObjective.FirstView), nameof(DinoObjective.SecondView), nameof(DinoObjective.LocalView)];
        foreach ((string name, Augmentation view) in names.Zip(_views))
        {
            try
            {
                view.Apply(images, seed: 0);
            }
            catch (ArgumentException e)
            {
                throw new ArgumentException($"Objective.{name} does not fit the images: {e.Message}", e);
            }
        }
    }

    private static IEnumerable<Augmentation> Views(DinoObjective settings, VisionTransformerConfig config)
    {
        static RandomResizedCrop Crop((double Min, double Max) scale) => new(scale.Min, scale.Max, 3.0 / 4, 4.0 / 3, Interpolation.Bicubic);
        Augmentation large = Crop(settings.GlobalCropScale), small = Crop(settings.LocalCropScale) with { Size = settings.LocalCropSize(config) };
        IEnumerable<Augmentation> local = Enumerable.Repeat(small.Then(settings.LocalView), settings.LocalCrops);
        return [large.Then(settings.FirstView), large.Then(settings.SecondView), .. local];
    }

    private static IEnumerable<(string, Tensor)> Named(string prefix, nn.Module module) =>
        module.named_parameters().Select(p => ($"{prefix}.{p.Item1}", (Tensor)p.Item2));

    public override void Dispose()
    {
        _head.Dispose();
        _teacher.Dispose();
        _teacherHead.Dispose();
        _loss.Dispose();
        base.Dispose();
    }
}
