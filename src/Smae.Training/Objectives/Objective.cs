using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using TorchSharp.Modules;

namespace Smae.Training;

/// <summary>
/// What an encoder is pretrained for: a value that names a method and its settings. <see cref="Begin"/> makes of it what one run needs. A method of your own is
/// a record derived from this and a class derived from <see cref="ObjectiveRun"/>.
/// </summary>
public abstract record Objective
{
    /// <summary>MAE (He et al. 2022): the pixels of hidden patches.</summary>
    /// <param name="normalizePatches">Whether each target patch is normalised by its own mean and deviation. Default true.</param>
    /// <param name="hiddenOnly">Whether only hidden patches count. Default true.</param>
    public static PixelObjective Pixel(bool normalizePatches = true, bool hiddenOnly = true) => new(normalizePatches, hiddenOnly);

    /// <summary>PixMIM (Liu et al. 2023): the pixels of the image without its high frequencies.</summary>
    /// <param name="radius">Radius of the circle of frequencies that pass, as a share of the image's shorter side. Default 40/224, the paper's.</param>
    /// <param name="normalizePatches">Whether each filtered patch is normalised by its own mean and deviation. Default true.</param>
    /// <param name="hiddenOnly">Whether only hidden patches count. Default true.</param>
    public static LowPassPixelObjective LowPassPixel(
        double radius = LowPassPixelObjective.PublishedRadius, bool normalizePatches = true, bool hiddenOnly = true) =>
        new(radius, normalizePatches, hiddenOnly);

    /// <summary>SMAE (Charisoudis et al. 2023, Eq. 1 and 2): pixels and the features of a critic.</summary>
    /// <param name="alpha">Weight of the features in [0, 1]; 1 leaves the pixels out.</param>
    /// <param name="critic">Weights of a SqueezeNet as <see cref="SqueezeNet.Save"/> writes them.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="alpha"/> is outside [0, 1].</exception>
    public static SemanticObjective Semantic(double alpha, string critic) => new(alpha, critic);

    /// <summary>SMAE with a critic of any make.</summary>
    /// <param name="alpha">Weight of the features in [0, 1]; 1 leaves the pixels out.</param>
    /// <param name="critic">Gives features of images, <c>[batch, channels, height, width]</c> to any shape. It is frozen, never disposed.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="alpha"/> is outside [0, 1].</exception>
    public static SemanticObjective Semantic(double alpha, nn.Module<Tensor, Tensor> critic) => new(alpha, critic);

    /// <summary>
    /// DMAE ("Masked Autoencoders Enable Efficient Knowledge Distillers", Bai et al. 2023): pixels and the features of a frozen teacher. By default block 8 of
    /// a ViT-B learns from block 17 of a ViT-L, both counted from 0.
    /// </summary>
    /// <param name="teacher">The teacher's weights: a file or folder, see <see cref="DistillationObjective.Teacher"/>.</param>
    /// <param name="architecture">The teacher's shape; null takes that of the JSON file beside its weights. Default null.</param>
    public static DistillationObjective DistilledFeatures(string teacher, VisionTransformerConfig? architecture = null) => new(teacher, architecture);

    /// <summary>
    /// Distillation as in "Exploring Masked Autoencoders as Vision Learners" (Garcia, Senel and Frantzolas), made for small images and a teacher of large ones:
    /// as <see cref="DistilledFeatures"/>, with features as they are, a head of two layers, and normalised pixels (epsilon 1e-5).
    /// </summary>
    /// <param name="teacher">The teacher's weights: a file or folder, see <see cref="DistillationObjective.Teacher"/>.</param>
    /// <param name="architecture">The teacher's shape; null takes that of the JSON file beside its weights. Default null.</param>
    public static DistillationObjective DistilledRawFeatures(string teacher, VisionTransformerConfig? architecture = null) =>
        new(teacher, architecture)
        {
            Projection = FeatureProjection.Mlp, NormalizeFeatures = false, Pixels = Pixel() with { Epsilon = 1e-5 },
        };

    /// <summary>SdAE ("SdAE: Self-distillated Masked Autoencoder", Chen et al. 2022): features of a teacher that follows the encoder.</summary>
    /// <param name="folds">Folds in which the teacher sees the hidden patches; divides their number. Default 3.</param>
    public static SelfDistillationObjective SelfDistilledFeatures(int folds = 3) => new() { Folds = folds };

    /// <summary>
    /// SimMIM (Xie et al. 2022): pixels of hidden patches, which the encoder sees as mask tokens, by one linear layer. It goes with
    /// <see cref="Masking.Squares"/>.
    /// </summary>
    public static SimMimObjective SimMim() => new();

    /// <summary>
    /// MaskFeat (Wei et al. 2022): histograms of oriented gradients of hidden patches, which the encoder sees as mask tokens. It goes with
    /// <see cref="Masking.BlockWise"/>.
    /// </summary>
    public static MaskFeatObjective MaskFeat() => new();

    /// <summary>
    /// data2vec (Baevski et al. 2022), vision: the mean of the last blocks' outputs in a moving average of the encoder that sees all patches. It goes with
    /// <see cref="Masking.BlockWise"/>. For short runs a teacher that moves faster: <c>Objective.Data2Vec() with { Momentum = 0.99 }</c>.
    /// </summary>
    public static Data2VecObjective Data2Vec() => new();

    /// <summary>
    /// BootMAE (Dong et al. 2022): pixels, and features of a moving average of the encoder that sees the whole image, by a decoder each. It goes with
    /// <see cref="Masking.BlockWise"/>. For short runs a teacher that moves faster: <c>Objective.BootMae() with { Momentum = 0.99 }</c>.
    /// </summary>
    public static BootMaeObjective BootMae() => new();

    /// <summary>
    /// DINO (Caron et al. 2021): nothing is hidden, a student follows its own moving average across crops of an image. For small sets of images:
    /// <c>Objective.Dino() with { OutputDim = 1024, HiddenDim = 512 }</c>.
    /// </summary>
    public static DinoObjective Dino() => new();

    /// <summary>
    /// iBOT (Zhou et al. 2022): DINO, and beside it patches that are hidden from the student and not from the teacher. For small sets of images and short runs:
    /// <c>Objective.IBot() with { OutputDim = 1024, HiddenDim = 512, TeacherTemperatureWarmupEpochs = 0 }</c>.
    /// </summary>
    public static IBotObjective IBot() => new();

    /// <summary>
    /// A text that two objectives share only if they give the same losses: a run resumes only from a checkpoint of the same. Default all settings, in the
    /// invariant culture. A method that reads a file adds a hash of its content, since a file keeps its name when another model is saved there.
    /// </summary>
    protected internal virtual string Identity => ValueText.Invariant(ToString);

    /// <summary>What the decoder is to predict. Default <see cref="DecoderTarget.Pixels"/>.</summary>
    public virtual DecoderTarget Target => DecoderTarget.Pixels;

    /// <summary>
    /// The pixel loss whose <see cref="PixelObjective.ToPixels"/> turns this objective's predictions into pixels, in pictures and in an exported autoencoder.
    /// Default null: a prediction is pixels already.
    /// </summary>
    public virtual PixelObjective? PixelTarget => null;

    /// <summary>Whether the masking is used, and so must fit the encoder. Default where there is a decoder.</summary>
    protected internal virtual bool HidesPatches => Target != DecoderTarget.None;

    /// <summary>Whether the last step of the learning rate's warmup has the peak already, as in DINO, not in MAE. Default false.</summary>
    internal virtual bool WarmupIncludesPeak => false;

    /// <summary>
    /// What of the settings does not fit together, or does not fit the other options, one sentence each: see <see cref="Expect"/>. What a single setting may be
    /// is declared on it by a <see cref="System.ComponentModel.DataAnnotations.RangeAttribute"/>. Default nothing.
    /// </summary>
    /// <param name="options">Options with this objective; encoder, decoder and masking are valid.</param>
    protected internal virtual IEnumerable<string> Faults(MaePretrainOptions options) => [];

    /// <summary>The sentence about a setting that is wrong: <c>Objective.Power is 0: expected at least 1.</c></summary>
    /// <param name="expected">What would be right, to follow the word "expected".</param>
    /// <param name="name">The setting's name; by default what is passed as <paramref name="value"/>.</param>
    /// <returns>One sentence, or none if the setting is right.</returns>
    protected static IEnumerable<string> Expect(
        object? value, bool holds, string expected, [CallerArgumentExpression(nameof(value))] string name = "") =>
        holds ? [] : [string.Create(CultureInfo.InvariantCulture, $"Objective.{name} is {value ?? "null"}: expected {expected}.")];

    /// <summary>
    /// Pixels of a prediction, whatever exactly is predicted. Default what <see cref="PixelTarget"/> says. An objective that overrides this with something else
    /// has pictures, but its autoencoder cannot be exported.
    /// </summary>
    /// <param name="reconstruction">What a model whose decoder predicts pixels made of the images.</param>
    /// <returns><c>[batch, patches, patch * patch * channels]</c> in the units of the input images.</returns>
    public virtual Tensor ToPixels(Reconstruction reconstruction) => PixelTarget?.ToPixels(reconstruction) ?? reconstruction.Prediction;

    /// <summary>Begins a run.</summary>
    /// <param name="model">The autoencoder to train, already on <paramref name="device"/>.</param>
    /// <returns>The losses of the run and what they need; the caller disposes it.</returns>
    public abstract ObjectiveRun Begin(MaskedAutoencoder model, MaePretrainOptions options, Device device);

    /// <summary>Writes what all objectives have in common for <c>ToString</c>: not <see cref="PixelTarget"/>, which may be this very objective.</summary>
    protected virtual bool PrintMembers(StringBuilder builder)
    {
        builder.Append(CultureInfo.InvariantCulture, $"{nameof(Target)} = {Target}");
        return true;
    }
}

/// <summary>
/// An objective at work in one run: makes the losses, and holds whatever else the method trains or remembers. A step calls <see cref="BatchReady"/> and
/// <see cref="Loss"/>, for each part of the batch where gradients are accumulated, then <see cref="GradientsReady"/> and <see cref="StepEnded"/>. All but
/// <see cref="Loss"/> are called without gradients and in a dispose scope of their own.
/// </summary>
public abstract class ObjectiveRun : IDisposable
{
    private readonly List<IDisposable> _owned = [];

    /// <summary>Parameters beside the model's that are trained too, such as a head's; weight decay is for those of two and more dimensions.</summary>
    public virtual IReadOnlyList<Parameter> Parameters => [];

    /// <summary>Epochs at the start of the run in which a parameter is left as it is: no gradient, no weight decay, no moments. Default 0.</summary>
    public virtual int FrozenEpochs(Parameter parameter) => 0;

    /// <summary>What a checkpoint must keep for this run to go on as if it had never stopped, under names of its own. Default none.</summary>
    public virtual IEnumerable<(string Name, Tensor Tensor)> State => [];

    /// <summary>
    /// Whether the loss of a batch is the mean of the losses of its images, so that it may be asked for in parts, several at the same time (faster on a CPU).
    /// Such an objective asks for no <see cref="PretrainBatch.View"/> and changes nothing in <see cref="Loss"/>. Default false.
    /// </summary>
    public virtual bool IsMeanOverImages => false;

    /// <summary>
    /// Whether the loss of a batch is the mean of the losses of its parts, each weighted by its images, so that several processes may divide a batch
    /// (<see cref="TrainingOptions.Distributed"/>) and gradients be accumulated. What is to be known of the whole batch goes through <see cref="SumOverRanks"/>.
    /// Default as <see cref="IsMeanOverImages"/>: a loss that compares images with each other is none.
    /// </summary>
    public virtual bool IsMeanOverParts => IsMeanOverImages;

    /// <summary>The processes that train together.</summary>
    internal Ranks Ranks { get; set; } = Ranks.Alone;

    /// <summary>
    /// Whether all patches pass through the encoder: hidden ones as mask tokens, or the image as it is. A batch that may be cut into parts is cut by what passes.
    /// Default false: the visible patches.
    /// </summary>
    public virtual bool EncodesHidden => false;

    /// <summary>
    /// Called with each batch before its loss is asked for: what must be seen of all images together is looked at here, and what another model makes of them
    /// goes into <see cref="PretrainBatch.Targets"/>. Default nothing.
    /// </summary>
    /// <param name="batch">The batch, or the part of one where gradients are accumulated.</param>
    public virtual void BatchReady(PretrainBatch batch) { }

    /// <summary>The loss of a batch, or of a part of one.</summary>
    /// <returns>A scalar, float32, with its graph.</returns>
    public abstract Tensor Loss(PretrainBatch batch);

    /// <summary>Called when a step's gradients are whole, before they are clipped and used: may change them in place. Default nothing.</summary>
    public virtual void GradientsReady(TrainingPosition position) { }

    /// <summary>Called when a step has changed the weights. Default nothing.</summary>
    public virtual void StepEnded(TrainingPosition position) { }

    /// <summary>Called when an epoch is over. Default nothing.</summary>
    /// <param name="position">The epoch's last step.</param>
    public virtual void EpochEnded(TrainingPosition position) { }

    /// <summary>Called when the run is over, a last chance to change the model; what it does is in no checkpoint. Default nothing.</summary>
    public virtual void RunEnded() { }

    /// <summary>
    /// Makes a tensor the sum of those of all processes, in place; with one process it stays as it is. All processes call it at the same place: in any method but
    /// <see cref="Loss"/>.
    /// </summary>
    /// <param name="tensor">float32, of the same shape everywhere.</param>
    protected void SumOverRanks(Tensor tensor) => Ranks.Sum(tensor, "what the objective knows of all images");

    /// <summary>Has something that this run made disposed with it.</summary>
    /// <param name="part">A module, a tensor outside of any dispose scope, or anything else.</param>
    /// <returns>The same.</returns>
    protected T Own<T>(T part) where T : IDisposable
    {
        _owned.Add(part);
        return part;
    }

    /// <summary>Frees what the run made for itself; the model stays.</summary>
    public virtual void Dispose()
    {
        foreach (IDisposable part in _owned) part.Dispose();
        GC.SuppressFinalize(this);
    }
}
