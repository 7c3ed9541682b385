using System.ComponentModel.DataAnnotations;
using TorchSharp.Modules;
using TorchSharp.Utils;

namespace Smae.Training;

/// <summary>
/// Self-distillation without labels (DINO, Caron et al. 2021): the encoder and a projection head, the student, learn to give for one crop of an image what a
/// slow moving average of both, the teacher, gives for another. Nothing is masked and there is no decoder. The defaults are those of facebookresearch/dino;
/// <see cref="Recipes.DinoPretrain"/> and <see cref="Recipes.SmaePaperDinoPretrain"/> have the other options that go with them.
/// </summary>
/// <remarks>
/// The head sees the class token, or where the encoder has none the mean of the patches. As in facebookresearch/dino the last step of the learning rate's
/// warm-up has the peak already. The run's own augmentation must not be set: see <see cref="FirstView"/>.
/// </remarks>
public record DinoObjective : Objective
{
    /// <summary>Numbers that the head gives for an image. Default 65536; small sets of images do with far fewer.</summary>
    [Range(2, int.MaxValue)] public int OutputDim { get; init; } = 65536;

    /// <summary>Width of the head's hidden layers. Default 2048.</summary>
    [Range(1, int.MaxValue)] public int HiddenDim { get; init; } = 2048;

    /// <summary>Width of the head before its last layer. Default 256.</summary>
    [Range(1, int.MaxValue)] public int BottleneckDim { get; init; } = 256;

    /// <summary>Linear layers of the head before its last layer. Default 3.</summary>
    [Range(1, int.MaxValue)] public int HeadLayers { get; init; } = 3;

    /// <summary>Whether the rows of the head's last layer keep the length 1 (steadier) or learn it, as published ViT-S do. Default true.</summary>
    public bool NormalizeLastLayer { get; init; } = true;

    /// <summary>Epochs at the start in which the head's last layer is not trained. Default 1.</summary>
    [Range(0, int.MaxValue)] public int FrozenLastLayerEpochs { get; init; } = 1;

    /// <summary>What the student's logits are divided by. Default 0.1.</summary>
    [Range(0, double.MaxValue, MinimumIsExclusive = true)] public double StudentTemperature { get; init; } = 0.1;

    /// <summary>What the teacher's logits are divided by: the lower, the sharper. Default 0.04.</summary>
    [Range(0, double.MaxValue, MinimumIsExclusive = true)] public double TeacherTemperature { get; init; } = 0.04;

    /// <summary>The teacher's temperature in the first epoch. Default 0.04.</summary>
    [Range(0, double.MaxValue, MinimumIsExclusive = true)] public double WarmupTeacherTemperature { get; init; } = 0.04;

    /// <summary>Epochs over which that goes linearly to <see cref="TeacherTemperature"/>, which the last of them has. Default 0.</summary>
    [Range(0, int.MaxValue)] public int TeacherTemperatureWarmupEpochs { get; init; }

    /// <summary>The teacher's share of itself at first: <c>teacher = m teacher + (1 - m) student</c>. Default 0.996; 0.9995 for small batches.</summary>
    [Range(0, 1.0)] public double TeacherMomentum { get; init; } = 0.996;

    /// <summary>What that share goes to over the run, along half a cosine by iteration. Default 1.</summary>
    [Range(0, 1.0)] public double FinalTeacherMomentum { get; init; } = 1;

    /// <summary>The centre's share of itself in each step. Default 0.9.</summary>
    [Range(0, 1.0)] public double CenterMomentum { get; init; } = 0.9;

    /// <summary>Largest norm of each tensor's gradient (<see cref="TrainingOptions.ClipGradientNorm"/>: of all together). Default 3; null is no limit.</summary>
    [Range(0, double.MaxValue, MinimumIsExclusive = true)] public double? ClipTensorNorm { get; init; } = 3;

    /// <summary>Share of an image's area that a global crop has, from and to, in (0, 1]. Default 0.4 to 1.</summary>
    public (double Min, double Max) GlobalCropScale { get; init; } = (0.4, 1);

    /// <summary>Small crops of each image, which only the student sees. Default 8; 0 is none.</summary>
    [Range(0, int.MaxValue)] public int LocalCrops { get; init; } = 8;

    /// <summary>Share of an image's area that a local crop has, from and to, in (0, 1]. Default 0.05 to 0.4.</summary>
    public (double Min, double Max) LocalCropScale { get; init; } = (0.05, 0.4);

    /// <summary>Sides of local crops as a share of the image's, rounded to whole patches; positions are interpolated. Default 96/224.</summary>
    [Range(0, 1.0, MinimumIsExclusive = true)] public double LocalCropSide { get; init; } = 96.0 / 224;

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
    public override ObjectiveRun Begin(MaskedAutoencoder model, MaePretrainOptions options, Device device) => new Run(this, model, options, device);

    /// <summary>The teacher's temperature in an epoch, counted from 0.</summary>
    internal double TeacherTemperatureAt(int epoch) => Warmed(WarmupTeacherTemperature, TeacherTemperature, epoch);

    private protected double Warmed(double from, double to, int epoch)
    {
        if (epoch >= TeacherTemperatureWarmupEpochs) return to;
        return epoch <= 0 ? from : from + (to - from) * epoch / (TeacherTemperatureWarmupEpochs - 1);
    }

    internal CosineSchedule TeacherMomenta(long totalSteps) => new(TeacherMomentum, WarmupSteps: 0, totalSteps, FinalTeacherMomentum);

    internal (int Height, int Width) LocalCropSize(VisionTransformerConfig encoder)
    {
        int Pixels(int patches) => Math.Max(1, (int)Math.Round(patches * LocalCropSide)) * encoder.PatchSize;
        return (Pixels(encoder.GridHeight), Pixels(encoder.GridWidth));
    }

    /// <inheritdoc/>
    protected internal override IEnumerable<string> Faults(MaePretrainOptions options)
    {
        const string range = "two numbers in (0, 1], the smaller first", view = "an augmentation; Augmentation.Sequence() does nothing";
        string length = $"a number up to Epochs ({options.Epochs})";
        static bool IsRange((double Min, double Max) scale) => scale.Min > 0 && scale.Max >= scale.Min && scale.Max <= 1;
        static string Text((double Min, double Max) scale) => ValueText.Invariant(scale.ToString);
        return
        [
            .. Expect(FrozenLastLayerEpochs, FrozenLastLayerEpochs <= options.Epochs, length),
            .. Expect(TeacherTemperatureWarmupEpochs, TeacherTemperatureWarmupEpochs <= options.Epochs, length),
            .. Expect(Text(GlobalCropScale), IsRange(GlobalCropScale), range, nameof(GlobalCropScale)),
            .. Expect(Text(LocalCropScale), IsRange(LocalCropScale), range, nameof(LocalCropScale)),
            .. Expect(FirstView, FirstView is not null, view), .. Expect(SecondView, SecondView is not null, view),
            .. Expect(LocalView, LocalView is not null, view),
            .. options.Augmentation is null ? (string[])[] : ["Augmentation is set, and Objective makes crops of its own: set Objective.FirstView instead."],
            .. !KeepTeacher || options.WeightAverageDecay is null ? (string[])[] :
                ["WeightAverageDecay is set, and Objective.KeepTeacher gives the teacher, an average already: expected one of the two."],
        ];
    }

    /// <summary>Scales the gradient of each parameter down if its own norm is larger than a limit; those without a gradient are passed over.</summary>
    internal static void ClipEach(IEnumerable<Parameter> parameters, double maxNorm)
    {
        using DisposeScope scope = NewDisposeScope();
        using var noGrad = no_grad();
        foreach (Parameter parameter in parameters)   // all on the device: nothing waits for a number
            if (parameter.grad is { } gradient) gradient.mul_(gradient.norm().AddInPlace(1e-6).reciprocal_().MultiplyInPlace(maxNorm).AtMost(1));
    }

    private static Augmentation FlipAndColors() => Augmentation.HorizontalFlip()
        .Then(Augmentation.RandomApply(Augmentation.ColorJitter(0.4, 0.4, 0.2, 0.1), 0.8)).Then(Augmentation.Grayscale(0.2));

    /// <summary>What is done to the images for each view, tried on black ones, so many that what is done to few of them is tried too.</summary>
    private Augmentation[] Views(VisionTransformerConfig encoder)
    {
        static RandomResizedCrop Crop((double Min, double Max) scale) => new(scale, (3.0 / 4, 4.0 / 3), Interpolation.Bicubic);
        RandomResizedCrop large = Crop(GlobalCropScale), small = Crop(LocalCropScale) with { Size = LocalCropSize(encoder) };
        Augmentation[] views = [large.Then(FirstView), large.Then(SecondView), .. Enumerable.Repeat(small.Then(LocalView), LocalCrops)];
        using DisposeScope scope = NewDisposeScope();
        Tensor images = zeros(32, encoder.Channels, encoder.ImageHeight, encoder.ImageWidth);
        foreach ((Augmentation view, string option) in views.Zip((string[])[nameof(FirstView), nameof(SecondView), nameof(LocalView)]))
        {
            try { view.Apply(images, seed: 0); }
            catch (ArgumentException e) { throw new ArgumentException($"Objective.{option} does not fit the images: {e.Message}", e); }
        }
        return views;
    }

    internal class Run : ObjectiveRun
    {
        private readonly DinoObjective _settings;
        private readonly DinoHead _teacherHead;
        private readonly FollowingTeacher _teacher;
        private readonly DinoLoss _loss;
        private readonly Augmentation[] _views;
        private readonly Pooling _pooling;

        public Run(DinoObjective settings, MaskedAutoencoder model, MaePretrainOptions options, Device device)
        {
            (_settings, Student) = (settings, model.Encoder);
            _pooling = model.Config.ClassToken == ClassToken.None ? Pooling.Mean : Pooling.ClassToken;
            _views = settings.Views(model.Config);
            using Generator generator = options.HeadGenerator();
            Head = Own(new DinoHead(model.Config.EmbedDim, settings, generator).to(device));
            _teacherHead = Own(new DinoHead(model.Config.EmbedDim, settings, generator).to(device));
            _teacher = Own(new FollowingTeacher(Student, device));
            _loss = Own(new DinoLoss(settings, device));
            foreach (Parameter parameter in _teacherHead.parameters()) parameter.requires_grad_(false);
            Follow(momentum: 0);
        }

        protected VisionTransformer Student { get; }

        protected DinoHead Head { get; }

        public override IReadOnlyList<Parameter> Parameters => [.. Head.parameters()];

        public override IEnumerable<(string Name, Tensor Tensor)> State =>
            [("center", _loss.Center.Value), .. ModelWeights.Named(Head, "head."), .. ModelWeights.Named(_teacherHead, "teacher.head."), .. _teacher.State];

        public override int FrozenEpochs(Parameter parameter) =>
            Head.LastLayer.Any(p => ReferenceEquals(p, parameter)) ? _settings.FrozenLastLayerEpochs : 0;

        public override Tensor Loss(PretrainBatch batch)
        {
            Tensor[] crops = Crops(batch);
            Tensor large = cat(crops[..2], 0);
            return ClassLoss(Student.EncodeCrops(large), TeacherTokens(large), crops, batch.Position.Epoch);
        }

        public override bool IsMeanOverParts => true;

        public override void GradientsReady(TrainingPosition position)
        {
            if (_settings.ClipTensorNorm is { } limit) ClipEach([.. Student.parameters(), .. Parameters], limit);
        }

        public override void StepEnded(TrainingPosition position)
        {
            _loss.Center.Move(Ranks);
            Follow(_settings.TeacherMomenta(position.TotalSteps).At(position.Step));
        }

        public override void RunEnded()
        {
            if (_settings.KeepTeacher) _teacher.Replace();
        }

        /// <summary>The crops of a batch, the two global ones first.</summary>
        protected Tensor[] Crops(PretrainBatch batch) => [.. _views.Select((view, i) => batch.View(i, view))];

        /// <summary>What the teacher makes of images, all tokens, without a graph.</summary>
        protected Tensor TeacherTokens(Tensor images)
        {
            using var noGrad = no_grad();
            return _teacher.Model.EncodeCrops(images);
        }

        /// <summary>The teacher's logits of some features, without a graph.</summary>
        protected Tensor TeacherLogits(Tensor features)
        {
            using var noGrad = no_grad();
            return _teacherHead.forward(features);
        }

        /// <summary>DINO's loss.</summary>
        /// <param name="tokens">What the student made of the global crops.</param>
        /// <param name="teacher">What the teacher made of them.</param>
        /// <param name="crops">All crops; the student encodes the local ones here.</param>
        protected Tensor ClassLoss(Tensor tokens, Tensor teacher, Tensor[] crops, int epoch)
        {
            Tensor features = Student.Pool(tokens, _pooling);
            if (crops.Length > 2) features = cat([features, Student.Pool(Student.EncodeCrops(cat(crops[2..], 0)), _pooling)], 0);
            return _loss.Of(Head.forward(features), TeacherLogits(Student.Pool(teacher, _pooling)), epoch);
        }

        private void Follow(double momentum)
        {
            _teacher.Follow(momentum);
            MovingAverage.Update(_teacherHead.parameters(), Head.parameters(), momentum);
        }
    }
}

/// <summary>What is taken off a teacher's logits: their moving average, which with a low temperature keeps all outputs from becoming the same.</summary>
internal sealed class LogitCenter(int outputs, double momentum, Device device) : IDisposable
{
    private readonly Tensor _sum = zeros([1, outputs], device: device).DetachFromDisposeScope();   // of logits since it moved
    private long _rows;   // how many

    public Tensor Value { get; } = zeros([1, outputs], device: device).DetachFromDisposeScope();

    /// <summary>The teacher's probabilities, <c>[rows, outputs]</c>, without a graph.</summary>
    public Tensor Probabilities(Tensor logits, double temperature) => (logits.detach() - Value).DividedBy(temperature).softmax(-1);

    /// <summary>Counts logits, <c>[rows, outputs]</c>; the centre stays as it is until <see cref="Move"/>.</summary>
    public void Count(Tensor logits)
    {
        using (no_grad()) _sum.AddInPlace(logits.sum([0L], keepdim: true));
        _rows += logits.size(0);
    }

    /// <summary>Moves towards the mean of the logits since it last moved: once a step, however many parts its batch had and ranks worked on it.</summary>
    public void Move(Ranks ranks)
    {
        using DisposeScope scope = NewDisposeScope();
        using var noGrad = no_grad();
        ranks.Sum(_sum, "the centre of the teacher's logits");
        Value.MultiplyInPlace(momentum).AddInPlace(_sum, times: (1 - momentum) / ranks.Sum("how many logits there are", _rows)[0]);
        _sum.zero_();
        _rows = 0;
    }

    public void Dispose() => Array.ForEach([Value, _sum], tensor => tensor.Dispose());
}

/// <summary>The loss of DINO: cross entropy between what the teacher makes of one crop, centred and sharpened, and what the student makes of another.</summary>
internal sealed class DinoLoss(DinoObjective settings, Device device) : IDisposable
{
    private const int TeacherCrops = 2;

    public LogitCenter Center { get; } = new(settings.OutputDim, settings.CenterMomentum, device);

    /// <summary>The mean over all pairs of different crops and over the batch.</summary>
    /// <param name="student">Logits of all crops, the two global ones first: <c>[crops * batch, outputs]</c>, with their graph.</param>
    /// <param name="teacher">Logits of the two global crops, <c>[2 * batch, outputs]</c>.</param>
    public Tensor Of(Tensor student, Tensor teacher, int epoch)
    {
        Center.Count(teacher);
        long batch = teacher.size(0) / TeacherCrops, crops = student.size(0) / batch;
        Tensor targets = Center.Probabilities(teacher, settings.TeacherTemperatureAt(epoch)).view(TeacherCrops, batch, -1);
        Tensor predicted = student.DividedBy(settings.StudentTemperature).log_softmax(-1).view(crops, batch, -1);
        Tensor others = predicted.sum([0L], keepdim: true) - predicted.narrow(0, 0, TeacherCrops);   // for each teacher's crop, all but itself
        return (targets * others).sum().DividedBy(-(double)batch * TeacherCrops * (crops - 1));
    }

    public void Dispose() => Center.Dispose();
}

/// <summary>
/// The projection head of DINO, in float32: linear layers with exact GELU between them, a bottleneck of unit length, a weight-normalised layer without bias.
/// Parameters bear facebookresearch/dino's names: <c>mlp.0</c>, <c>mlp.2</c>..., <c>last_layer.weight_g</c> and <c>weight_v</c>.
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

    public IEnumerable<Parameter> LastLayer => _lastLayer.parameters();

    public override Tensor forward(Tensor input) => _lastLayer.forward(Bottleneck(input));

    /// <summary>What the last layer sees: vectors of length 1, <c>[batch, bottleneck]</c>.</summary>
    public Tensor Bottleneck(Tensor input) => nn.functional.normalize(_mlp.forward(input), dim: -1);
}
