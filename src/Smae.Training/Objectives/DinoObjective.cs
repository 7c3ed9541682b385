using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>
/// Self-distillation without labels (DINO, Caron et al. 2021): the encoder and a projection head, the student, learn to give for one crop of an
/// image what a slow moving average of both, the teacher, gives for another. Nothing is masked and there is no decoder. The defaults are those of
/// facebookresearch/dino; <see cref="Recipes.DinoPretrain"/> and <see cref="Recipes.SmaePaperDinoPretrain"/> have the other options that go with them.
/// </summary>
/// <remarks>
/// The head sees the class token, or where the encoder has none the mean of the patches. As in facebookresearch/dino the last step of the learning
/// rate's warmup has the peak already. The run's own augmentation is not used: <see cref="FirstView"/>, <see cref="SecondView"/> and
/// <see cref="LocalView"/> say what is done to the crops.
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

    /// <summary>Whether the rows of the head's last layer keep the length 1 (steadier) or learn it, as published ViT-S do. Default true.</summary>
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

    /// <summary>The teacher's share of itself at first: <c>teacher = m teacher + (1 - m) student</c>. Default 0.996; 0.9995 for small batches.</summary>
    public double TeacherMomentum { get; init; } = 0.996;

    /// <summary>What that share goes to over the run, along half a cosine by iteration. Default 1.</summary>
    public double FinalTeacherMomentum { get; init; } = 1;

    /// <summary>The centre's share of itself in each step. Default 0.9.</summary>
    public double CenterMomentum { get; init; } = 0.9;

    /// <summary>
    /// Largest norm of each tensor's gradient by itself (<see cref="TrainingOptions.ClipGradientNorm"/> is for all together). Default 3; null is no limit.
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

    /// <summary>What is done to the first global crop. Default flips, colour jitter (0.4, 0.4, 0.2, 0.1) in four of five, grey in one of five, blur.</summary>
    public Augmentation FirstView { get; init; } = FlipAndColors().Then(Augmentation.GaussianBlur());

    /// <summary>What is done to the second global crop. Default as <see cref="FirstView"/>, but blur in one of ten and solarised in one of five.</summary>
    public Augmentation SecondView { get; init; } =
        FlipAndColors().Then(Augmentation.GaussianBlur(probability: 0.1)).Then(Augmentation.Solarize(0.2));

    /// <summary>What is done to local crops. Default as <see cref="FirstView"/>, but blur in one of two.</summary>
    public Augmentation LocalView { get; init; } = FlipAndColors().Then(Augmentation.GaussianBlur(probability: 0.5));

    /// <summary>Whether pretraining gives the teacher's encoder, which the paper evaluates, or the student's. Default true: the teacher's.</summary>
    public bool KeepTeacher { get; init; } = true;

    /// <inheritdoc/>
    public override DecoderTarget Target => DecoderTarget.None;

    internal override bool WarmupIncludesPeak => true;

    /// <inheritdoc/>
    public override ObjectiveRun Begin(MaskedAutoencoder model, MaePretrainOptions options, Device device) =>
        new Run(this, model, options, device);

    /// <summary>The teacher's temperature in an epoch, counted from 0.</summary>
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
        const string positive = "a positive number", share = "a number in [0, 1]", range = "two numbers in (0, 1], the smaller first";
        const string view = "an augmentation; Augmentation.Sequence() does nothing";
        string length = $"a number from 0 to Epochs ({options.Epochs})";
        bool IsLength(int epochs) => epochs >= 0 && epochs <= options.Epochs;
        static bool IsPositive(double number) => number > 0 && double.IsFinite(number);
        static bool IsRange((double Min, double Max) scale) => scale.Min > 0 && scale.Max >= scale.Min && scale.Max <= 1;
        static string Text((double Min, double Max) scale) => FormattableString.Invariant($"({scale.Min}, {scale.Max})");
        string[] faults =
        [
            .. Expect(OutputDim, OutputDim >= 2, "at least 2"),
            .. Expect(HiddenDim, HiddenDim >= 1, "at least 1"),
            .. Expect(BottleneckDim, BottleneckDim >= 1, "at least 1"),
            .. Expect(HeadLayers, HeadLayers >= 1, "at least 1"),
            .. Expect(FrozenLastLayerEpochs, IsLength(FrozenLastLayerEpochs), length),
            .. Expect(StudentTemperature, IsPositive(StudentTemperature), positive),
            .. Expect(TeacherTemperature, IsPositive(TeacherTemperature), positive),
            .. Expect(WarmupTeacherTemperature, IsPositive(WarmupTeacherTemperature), positive),
            .. Expect(TeacherTemperatureWarmupEpochs, IsLength(TeacherTemperatureWarmupEpochs), length),
            .. Expect(TeacherMomentum, TeacherMomentum is >= 0 and <= 1, share),
            .. Expect(FinalTeacherMomentum, FinalTeacherMomentum is >= 0 and <= 1, share),
            .. Expect(CenterMomentum, CenterMomentum is >= 0 and <= 1, share),
            .. Expect(ClipTensorNorm, IsPositive(ClipTensorNorm ?? 1), positive),
            .. Expect(Text(GlobalCropScale), IsRange(GlobalCropScale), range, nameof(GlobalCropScale)),
            .. Expect(LocalCrops, LocalCrops >= 0, "at least 0"),
            .. Expect(Text(LocalCropScale), IsRange(LocalCropScale), range, nameof(LocalCropScale)),
            .. Expect(LocalCropSide, LocalCropSide is > 0 and <= 1, "a number in (0, 1]"),
            .. Expect(FirstView, FirstView is not null, view),
            .. Expect(SecondView, SecondView is not null, view),
            .. Expect(LocalView, LocalView is not null, view),
        ];
        foreach (string fault in faults) yield return fault;
        if (options.Augmentation is not null)
            yield return "Augmentation is set, and Objective makes crops of its own: set Objective.FirstView, SecondView and LocalView instead.";
        if (KeepTeacher && options.WeightAverageDecay is not null)
            yield return "WeightAverageDecay is set, and Objective.KeepTeacher gives the teacher, an average already: expected one of the two.";
    }

    /// <summary>Scales the gradient of each parameter down if its own norm is larger than a limit; those without a gradient are passed over.</summary>
    internal static void ClipEach(IEnumerable<Parameter> parameters, double maxNorm)
    {
        using DisposeScope scope = NewDisposeScope();
        using var noGrad = no_grad();
        foreach (Parameter parameter in parameters)   // all on the device: nothing waits for a number
            if (parameter.grad is { } gradient) gradient.mul_(gradient.norm().add_(1e-6).reciprocal_().mul_(maxNorm).clamp_max_(1));
    }

    private static Augmentation FlipAndColors() => Augmentation.HorizontalFlip()
        .Then(Augmentation.RandomApply(Augmentation.ColorJitter(0.4, 0.4, 0.2, 0.1), 0.8)).Then(Augmentation.Grayscale(0.2));

    /// <summary>What is done to the images for each view: two global crops, then the local ones.</summary>
    private (string Option, Augmentation View)[] Views(VisionTransformerConfig encoder)
    {
        static RandomResizedCrop Crop((double Min, double Max) scale) => new(scale, (3.0 / 4, 4.0 / 3), Interpolation.Bicubic);
        Augmentation large = Crop(GlobalCropScale), small = Crop(LocalCropScale) with { Size = LocalCropSize(encoder) };
        return
        [
            (nameof(FirstView), large.Then(FirstView)), (nameof(SecondView), large.Then(SecondView)),
            .. Enumerable.Repeat((nameof(LocalView), small.Then(LocalView)), LocalCrops),
        ];
    }

    /// <summary>A run: the student's head, the teacher and its head, the centre.</summary>
    private sealed class Run : ObjectiveRun
    {
        private const int TriedImages = 32;
        private readonly DinoObjective _settings;
        private readonly VisionTransformer _student;
        private readonly DinoHead _head, _teacherHead;
        private readonly FollowingTeacher _teacher;
        private readonly DinoLoss _loss;
        private readonly Augmentation[] _views;
        private readonly Pooling _pooling;

        /// <exception cref="ArgumentException">A view's augmentation has no meaning for such images.</exception>
        public Run(DinoObjective settings, MaskedAutoencoder model, MaePretrainOptions options, Device device)
        {
            (_settings, _student) = (settings, model.Encoder);
            _pooling = model.Config.ClassToken == ClassToken.None ? Pooling.Mean : Pooling.ClassToken;
            _views = Tried(settings.Views(model.Config), model.Config);
            using var generator = new Generator((ulong)RandomStream.Mix(options.Seed ?? 0, 3));
            _head = Own(new DinoHead(model.Config.EmbedDim, settings, generator).to(device));
            _teacherHead = Own(new DinoHead(model.Config.EmbedDim, settings, generator).to(device));
            _teacher = Own(new FollowingTeacher(_student, device));
            _loss = Own(new DinoLoss(settings, device));
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
            using (no_grad()) teacher = _teacherHead.forward(Features(_teacher.Model, large));
            Tensor features = Features(_student, large);
            if (crops.Length > 2) features = cat([features, Features(_student, cat(crops[2..], 0))], 0);
            return _loss.Of(_head.forward(features), teacher, batch.Position.Epoch);
        }

        public override void GradientsReady(TrainingPosition position)
        {
            if (_settings.ClipTensorNorm is { } limit) ClipEach([.. _student.parameters(), .. _head.parameters()], limit);
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
        private static Augmentation[] Tried((string Option, Augmentation View)[] views, VisionTransformerConfig config)
        {
            using DisposeScope scope = NewDisposeScope();
            Tensor images = zeros(TriedImages, config.Channels, config.ImageHeight, config.ImageWidth);
            foreach ((string option, Augmentation view) in views.Take(3))   // all local crops are alike
            {
                try { view.Apply(images, seed: 0); }
                catch (ArgumentException e) { throw new ArgumentException($"Objective.{option} does not fit the images: {e.Message}", e); }
            }
            return [.. views.Select(view => view.View)];
        }
    }
}

/// <summary>
/// The loss of DINO: cross entropy between what the teacher makes of one crop and what the student makes of another. The teacher's logits are centred
/// by a moving average and sharpened by a low temperature, which together keep all outputs from becoming the same.
/// </summary>
internal sealed class DinoLoss(DinoObjective settings, Device device) : IDisposable
{
    private const int TeacherCrops = 2;
    // The sum of the teacher's logits since the centre last moved.
    private readonly Tensor _sum = zeros([1, settings.OutputDim], device: device).DetachFromDisposeScope();
    private long _rows;

    /// <summary>What is taken off the teacher's logits, <c>[1, outputs]</c>.</summary>
    public Tensor Center { get; } = zeros([1, settings.OutputDim], device: device).DetachFromDisposeScope();

    /// <summary>What the student is to predict, <c>[crops * batch, outputs]</c>: the teacher's probabilities, centred and sharpened, without a graph.</summary>
    public Tensor Targets(Tensor teacher, int epoch) => ((teacher.detach() - Center) / settings.TeacherTemperatureAt(epoch)).softmax(-1);

    /// <summary>The loss of a batch; the centre stays as it is until <see cref="MoveCenter"/>.</summary>
    /// <param name="student">Logits of all crops, the two global ones first: <c>[crops * batch, outputs]</c>, with their graph.</param>
    /// <param name="teacher">Logits of the two global crops, <c>[2 * batch, outputs]</c>.</param>
    /// <param name="epoch">The epoch, counted from 0: it decides the temperature.</param>
    /// <returns>The mean over all pairs of different crops and over the batch, a scalar.</returns>
    public Tensor Of(Tensor student, Tensor teacher, int epoch)
    {
        using (no_grad()) _sum.add_(teacher.sum([0L], keepdim: true));
        _rows += teacher.size(0);
        long batch = teacher.size(0) / TeacherCrops, crops = student.size(0) / batch;
        Tensor targets = Targets(teacher, epoch).view(TeacherCrops, batch, -1);
        Tensor predicted = student.div(settings.StudentTemperature).log_softmax(-1).view(crops, batch, -1);
        Tensor others = predicted.sum([0L], keepdim: true) - predicted.narrow(0, 0, TeacherCrops);   // for each teacher's crop, all but itself
        return (targets * others).sum() / (-(double)batch * TeacherCrops * (crops - 1));
    }

    /// <summary>Moves the centre towards the mean of the logits since it last moved: once a step, however many parts its batch had.</summary>
    public void MoveCenter()
    {
        using DisposeScope scope = NewDisposeScope();
        using var noGrad = no_grad();
        double momentum = settings.CenterMomentum;
        Center.mul_(momentum).add_(_sum, (1 - momentum) / _rows);
        _sum.zero_();
        _rows = 0;
    }

    public void Dispose()
    {
        Center.Dispose();
        _sum.Dispose();
    }
}

/// <summary>
/// The projection head of DINO: linear layers with exact GELU between them, a bottleneck of unit length, a weight-normalised layer without bias.
/// Always in float32. Its parameters bear facebookresearch/dino's names: <c>mlp.0</c>, <c>mlp.2</c>..., <c>last_layer.weight_g</c> and
/// <c>weight_v</c>.
/// </summary>
internal sealed class DinoHead : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "mlp")] private readonly Sequential _mlp;
    [ComponentName(Name = "last_layer")] private readonly WeightNormLinear _lastLayer;

    public DinoHead(int inputs, DinoObjective settings, Generator generator) : base(nameof(DinoHead))
    {
        using DisposeScope scope = NewDisposeScope();
        _mlp = ProjectionHead.Create([inputs, .. Enumerable.Repeat(settings.HiddenDim, settings.HeadLayers - 1), settings.BottleneckDim]);
        _lastLayer = new WeightNormLinear(settings.BottleneckDim, settings.OutputDim, trainLength: !settings.NormalizeLastLayer);
        RegisterComponents();
        this.DetachFromDisposeScopes();

        using var noGrad = no_grad();
        foreach (Linear layer in _mlp.children().OfType<Linear>()) layer.Weight.normal_(0, 0.02, generator);
        double bound = 1 / Math.Sqrt(settings.BottleneckDim);   // as PyTorch draws a linear layer's weight
        _lastLayer.Direction.uniform_(-bound, bound, generator);
    }

    /// <summary>The parameters of the last layer.</summary>
    public IEnumerable<Parameter> LastLayer => _lastLayer.parameters();

    /// <summary>From <c>[batch, inputs]</c>, float32, to logits, <c>[batch, outputs]</c>.</summary>
    public override Tensor forward(Tensor input) => _lastLayer.forward(Bottleneck(input));

    /// <summary>What the last layer sees: vectors of length 1, <c>[batch, bottleneck]</c>.</summary>
    public Tensor Bottleneck(Tensor input) => nn.functional.normalize(_mlp.forward(input), dim: -1);

    /// <summary>
    /// A linear layer without bias whose rows have a direction (<c>weight_v</c>) and a length (<c>weight_g</c>, 1 at first) of their own (Salimans and
    /// Kingma 2016): its weight is <c>g v / |v|</c>, as PyTorch's <c>weight_norm</c> makes it.
    /// </summary>
    private sealed class WeightNormLinear : nn.Module<Tensor, Tensor>
    {
        [ComponentName(Name = "weight_g")] private Parameter _length;
        [ComponentName(Name = "weight_v")] private Parameter _direction;

        public WeightNormLinear(int inputs, int outputs, bool trainLength) : base(nameof(WeightNormLinear))
        {
            _length = new Parameter(ones(outputs, 1), requires_grad: trainLength);
            _direction = new Parameter(zeros(outputs, inputs));
            RegisterComponents();
        }

        public Parameter Direction => _direction;

        public override Tensor forward(Tensor input) => nn.functional.linear(input, _direction * (_length / _direction.norm(1, keepdim: true)));
    }
}
