using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>
/// Self-distillation without labels (DINO, Caron et al. 2021): the encoder and a projection head, the student, learn to give for one crop of an
/// image what a slow moving average of both, the teacher, gives for another. Nothing is masked and there is no decoder. The defaults are those of
/// facebookresearch/dino; see <see cref="Recipes.DinoPretrain"/> and <see cref="Recipes.SmaePaperDinoPretrain"/> for the other options that belong
/// to them.
/// </summary>
/// <remarks>
/// The head sees the class token, or where the encoder has none the mean of the patches. With this objective the learning rate's rise ends in its
/// last step, as there, and the run's own augmentation is not used: what is done to the crops is <see cref="FirstView"/>, <see cref="SecondView"/>
/// and <see cref="LocalView"/>.
/// </remarks>
public sealed record DinoObjective : Objective
{
    /// <summary>Numbers that the head gives for an image. Default 65536; small sets of images do with far fewer.</summary>
    public int OutputDim { get; init; } = 65536;

    /// <summary>Width of the head's hidden layers. Default 2048.</summary>
    public int HiddenDim { get; init; } = 2048;

    /// <summary>Width of the head before its last layer. Default 256.</summary>
    public int BottleneckDim { get; init; } = 256;

    /// <summary>Linear layers of the head before its last layer. Default 3.</summary>
    public int HeadLayers { get; init; } = 3;

    /// <summary>
    /// Whether the rows of the head's last layer keep the length 1. Default true: steadier. False lets them learn theirs, which published ViT-S do.
    /// </summary>
    public bool NormalizeLastLayer { get; init; } = true;

    /// <summary>Epochs at the start in which the head's last layer is not trained. Default 1.</summary>
    public int FrozenLastLayerEpochs { get; init; } = 1;

    /// <summary>What the student's logits are divided by. Default 0.1.</summary>
    public double StudentTemperature { get; init; } = 0.1;

    /// <summary>What the teacher's logits are divided by: the lower, the sharper. Default 0.04.</summary>
    public double TeacherTemperature { get; init; } = 0.04;

    /// <summary>The teacher's temperature in the first epoch. Default 0.04.</summary>
    public double WarmupTeacherTemperature { get; init; } = 0.04;

    /// <summary>
    /// Epochs over which the teacher's temperature goes linearly from <see cref="WarmupTeacherTemperature"/> to <see cref="TeacherTemperature"/>;
    /// the last of them has the latter. Default 0.
    /// </summary>
    public int TeacherTemperatureWarmupEpochs { get; init; }

    /// <summary>
    /// The teacher's share of itself in the first step: <c>teacher = m teacher + (1 - m) student</c>. Default 0.996; 0.9995 for small batches.
    /// </summary>
    public double TeacherMomentum { get; init; } = 0.996;

    /// <summary>What that share goes to over the run, along half a cosine by iteration. Default 1.</summary>
    public double FinalTeacherMomentum { get; init; } = 1;

    /// <summary>The centre's share of itself in each step. Default 0.9.</summary>
    public double CenterMomentum { get; init; } = 0.9;

    /// <summary>
    /// Largest norm of each tensor's gradient by itself; larger ones are scaled down. Default 3; null is no limit. It is beside
    /// <see cref="TrainingOptions.ClipGradientNorm"/>, which is for all gradients together.
    /// </summary>
    public double? ClipTensorNorm { get; init; } = 3;

    /// <summary>Share of an image's area that a global crop has, from and to, in (0, 1]. Default 0.4 to 1.</summary>
    public (double Min, double Max) GlobalCropScale { get; init; } = (0.4, 1);

    /// <summary>Small crops of each image, which only the student sees. Default 8; 0 is none.</summary>
    public int LocalCrops { get; init; } = 8;

    /// <summary>Share of an image's area that a local crop has, from and to, in (0, 1]. Default 0.05 to 0.4.</summary>
    public (double Min, double Max) LocalCropScale { get; init; } = (0.05, 0.4);

    /// <summary>
    /// Height and width that local crops are resized to, as a share of the image's, in (0, 1]; it is rounded to whole patches, and positions are
    /// interpolated. Default 96/224.
    /// </summary>
    public double LocalCropSide { get; init; } = 96.0 / 224;

    /// <summary>
    /// What is done to the first global crop. Default mirroring, colour jitter (0.4, 0.4, 0.2, 0.1) in four of five, grey in one of five, blur.
    /// </summary>
    public Augmentation FirstView { get; init; } = FlipAndColors().Then(Augmentation.GaussianBlur());

    /// <summary>
    /// What is done to the second global crop. Default as <see cref="FirstView"/>, but blur in one of ten, and solarised in one of five.
    /// </summary>
    public Augmentation SecondView { get; init; } =
        FlipAndColors().Then(Augmentation.GaussianBlur(probability: 0.1)).Then(Augmentation.Solarize(0.2));

    /// <summary>What is done to local crops. Default as <see cref="FirstView"/>, but blur in one of two.</summary>
    public Augmentation LocalView { get; init; } = FlipAndColors().Then(Augmentation.GaussianBlur(probability: 0.5));

    /// <summary>
    /// Whether the encoder that pretraining gives is the teacher's, which the paper evaluates, rather than the student's. Default true.
    /// </summary>
    public bool KeepTeacher { get; init; } = true;

    /// <inheritdoc/>
    public override DecoderTarget Target => DecoderTarget.None;

    internal override bool WarmupIncludesPeak => true;

    /// <inheritdoc/>
    public override ObjectiveRun Begin(MaskedAutoencoder model, MaePretrainOptions options, Device device) =>
        new Run(this, model, options, device);

    /// <summary>The teacher's temperature in an epoch.</summary>
    /// <param name="epoch">The epoch, counted from 0.</param>
    internal double TeacherTemperatureAt(int epoch)
    {
        if (epoch >= TeacherTemperatureWarmupEpochs) return TeacherTemperature;
        double done = TeacherTemperatureWarmupEpochs == 1 ? 0 : (double)epoch / (TeacherTemperatureWarmupEpochs - 1);
        return WarmupTeacherTemperature + (TeacherTemperature - WarmupTeacherTemperature) * done;
    }

    /// <summary>The teacher's share of itself in each step of a run.</summary>
    internal CosineSchedule TeacherMomenta(long totalSteps) => new(TeacherMomentum, WarmupSteps: 0, totalSteps, FinalTeacherMomentum);

    /// <summary>Height and width of a local crop in pixels.</summary>
    internal (int Height, int Width) LocalCropSize(VisionTransformerConfig encoder)
    {
        int Pixels(int patches) => Math.Max(1, (int)Math.Round(patches * LocalCropSide)) * encoder.PatchSize;
        return (Pixels(encoder.GridHeight), Pixels(encoder.GridWidth));
    }

    /// <inheritdoc/>
    protected internal override IEnumerable<string> Faults(MaePretrainOptions options)
    {
        foreach (string fault in NumberFaults(options.Epochs)) yield return $"Objective.{fault}";
        (string, Augmentation?)[] views = [(nameof(FirstView), FirstView), (nameof(SecondView), SecondView), (nameof(LocalView), LocalView)];
        foreach ((string name, Augmentation? view) in views)
            if (view is null) yield return $"Objective.{name} is null: Augmentation.Sequence() does nothing.";
        if (options.Augmentation is not null)
            yield return "Augmentation is set, and Objective makes crops of its own: set Objective.FirstView, SecondView and LocalView instead.";
        if (KeepTeacher && options.WeightAverageDecay is not null)
            yield return "WeightAverageDecay is set, and Objective.KeepTeacher gives the teacher, an average already: expected one of the two.";
    }

    private IEnumerable<string> NumberFaults(int epochs)
    {
        (string, int, int)[] least =
        [
            (nameof(OutputDim), OutputDim, 2), (nameof(HiddenDim), HiddenDim, 1), (nameof(BottleneckDim), BottleneckDim, 1),
            (nameof(HeadLayers), HeadLayers, 1), (nameof(LocalCrops), LocalCrops, 0),
        ];
        foreach ((string name, int value, int from) in least)
            if (value < from) yield return $"{name} is {value}: expected at least {from}.";
        (string, int)[] lengths =
        [
            (nameof(FrozenLastLayerEpochs), FrozenLastLayerEpochs), (nameof(TeacherTemperatureWarmupEpochs), TeacherTemperatureWarmupEpochs),
        ];
        foreach ((string name, int value) in lengths)
            if (value < 0 || value > epochs) yield return $"{name} is {value}: expected a number from 0 to Epochs ({epochs}).";
        (string, double?)[] positive =
        [
            (nameof(StudentTemperature), StudentTemperature), (nameof(TeacherTemperature), TeacherTemperature),
            (nameof(WarmupTeacherTemperature), WarmupTeacherTemperature), (nameof(ClipTensorNorm), ClipTensorNorm),
        ];
        foreach ((string name, double? value) in positive)
            if (value is { } number && !(number > 0 && double.IsFinite(number))) yield return $"{name} is {number}: expected a positive number.";
        (string, double)[] momenta =
        [
            (nameof(TeacherMomentum), TeacherMomentum), (nameof(FinalTeacherMomentum), FinalTeacherMomentum),
            (nameof(CenterMomentum), CenterMomentum),
        ];
        foreach ((string name, double value) in momenta)
            if (!(value is >= 0 and <= 1)) yield return $"{name} is {value}: expected a number in [0, 1].";
        (string, (double, double))[] scales = [(nameof(GlobalCropScale), GlobalCropScale), (nameof(LocalCropScale), LocalCropScale)];
        foreach ((string name, (double min, double max)) in scales)
            if (!(min > 0 && max >= min && max <= 1)) yield return $"{name} is ({min}, {max}): expected two numbers in (0, 1], the smaller first.";
        if (!(LocalCropSide is > 0 and <= 1)) yield return $"{nameof(LocalCropSide)} is {LocalCropSide}: expected a number in (0, 1].";
    }

    private static Augmentation FlipAndColors() => Augmentation.HorizontalFlip()
        .Then(Augmentation.RandomApply(Augmentation.ColorJitter(0.4, 0.4, 0.2, 0.1), 0.8)).Then(Augmentation.Grayscale(0.2));

    /// <summary>A run: the student's head, the teacher, the centre.</summary>
    internal sealed class Run : ObjectiveRun
    {
        private const int TriedImages = 32;
        private readonly DinoObjective _settings;
        private readonly VisionTransformer _student;
        private readonly DinoHead _head;
        private readonly FollowingTeacher _teacher;
        private readonly DinoHead _teacherHead;
        private readonly DinoLoss _loss;
        private readonly Augmentation[] _views;
        private readonly Pooling _pooling;

        /// <exception cref="ArgumentException">A view's augmentation has no meaning for such images.</exception>
        public Run(DinoObjective settings, MaskedAutoencoder model, MaePretrainOptions options, Device device)
        {
            (_settings, _student) = (settings, model.Encoder);
            _pooling = model.Config.ClassToken == ClassToken.None ? Pooling.Mean : Pooling.ClassToken;
            _views = [.. Views(settings, model.Config)];
            CheckViews(model.Config);
            long seed = options.Seed ?? 0;
            using var generator = new Generator((ulong)RandomStream.Mix(seed, 3));
            _head = new DinoHead(model.Config.EmbedDim, settings, generator).to(device);
            _teacherHead = new DinoHead(model.Config.EmbedDim, settings, generator).to(device);
            _teacher = new FollowingTeacher(_student, device);
            _loss = new DinoLoss(settings, device);
            foreach (Parameter parameter in _teacherHead.parameters()) parameter.requires_grad_(false);
            FollowHead(momentum: 0);
        }

        public override IReadOnlyList<Parameter> Parameters => [.. _head.parameters()];

        public override IEnumerable<(string Name, Tensor Tensor)> State =>
        [
            ("center", _loss.Center), .. ModelWeights.Named(_head, "head."), .. ModelWeights.Named(_teacherHead, "teacher.head."), .. _teacher.State,
        ];

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
        internal Tensor TeacherLogits(Tensor images) => _teacherHead.forward(Features(_teacher.Model, images));

        public override void GradientsReady(TrainingPosition position)
        {
            if (_settings.ClipTensorNorm is { } limit) TensorClipping.Clip([.. _student.parameters(), .. _head.parameters()], limit);
        }

        public override void StepEnded(TrainingPosition position)
        {
            _loss.MoveCenter();
            double momentum = _settings.TeacherMomenta(position.TotalSteps).At(position.Step);
            _teacher.Follow(momentum);
            FollowHead(momentum);
        }

        public override void RunEnded()
        {
            if (_settings.KeepTeacher) _teacher.Replace();
        }

        private void FollowHead(double momentum) => MovingAverage.Update(_teacherHead.parameters(), _head.parameters(), momentum);

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

        public override void Dispose()
        {
            _head.Dispose();
            _teacher.Dispose();
            _teacherHead.Dispose();
            _loss.Dispose();
            base.Dispose();
        }
    }
}
