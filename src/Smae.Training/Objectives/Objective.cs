using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>
/// What an encoder is pretrained for. An objective is a value that names a method and its settings; <see cref="Begin"/> makes of it what one run needs.
/// A method of one's own is a record derived from this and a class derived from <see cref="ObjectiveRun"/>.
/// </summary>
public abstract record Objective
{
    /// <summary>The pixel loss of MAE (He et al. 2022).</summary>
    /// <param name="normalizePatches">Whether each target patch is normalised by its own mean and deviation. Default true.</param>
    /// <param name="hiddenOnly">Whether only hidden patches count. Default true.</param>
    public static PixelObjective Pixel(bool normalizePatches = true, bool hiddenOnly = true) => new(normalizePatches, hiddenOnly);

    /// <summary>The pixel loss of PixMIM (Liu et al. 2023): the target is the image without its high frequencies.</summary>
    /// <param name="radius">
    /// Radius of the circle of frequencies that pass, as a share of the image's shorter side. Default 40/224, as in the paper.
    /// </param>
    /// <param name="normalizePatches">Whether each filtered patch is normalised by its own mean and deviation. Default true.</param>
    /// <param name="hiddenOnly">Whether only hidden patches count. Default true.</param>
    public static LowPassPixelObjective LowPassPixel(
        double radius = LowPassPixelObjective.PublishedRadius, bool normalizePatches = true, bool hiddenOnly = true) =>
        new(radius, normalizePatches, hiddenOnly);

    /// <summary>The loss of SMAE: pixels and the features of a critic (Charisoudis et al. 2023, Eq. 1 and 2).</summary>
    /// <param name="alpha">Weight of the features in [0, 1]; 1 leaves the pixels out.</param>
    /// <param name="critic">Weights of a SqueezeNet as <see cref="SqueezeNet.Save"/> writes them.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="alpha"/> is outside [0, 1].</exception>
    public static SemanticObjective Semantic(double alpha, string critic) => new(alpha, critic, () => CriticFeatures.Load(critic));

    /// <summary>The loss of SMAE with a critic of any make.</summary>
    /// <param name="alpha">Weight of the features in [0, 1]; 1 leaves the pixels out.</param>
    /// <param name="critic">Gives features of images, <c>[batch, channels, height, width]</c> to any shape. It is frozen, never disposed.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="alpha"/> is outside [0, 1].</exception>
    public static SemanticObjective Semantic(double alpha, nn.Module<Tensor, Tensor> critic) =>
        new(alpha, critic.GetType().Name, () => new CriticFeatures(critic, owned: false));

    /// <summary>
    /// DMAE: the pixel loss and features of a frozen teacher ("Masked Autoencoders Enable Efficient Knowledge Distillers", Bai et al. 2023). With
    /// its defaults block 8 of a ViT-B learns from block 17 of a ViT-L, both counted from 0: see <see cref="DistillationObjective"/>.
    /// </summary>
    /// <param name="teacher">The teacher's weights: a safetensors file of ours, of timm or of facebookresearch/mae.</param>
    /// <param name="architecture">The teacher's shape; null takes that of the JSON file beside its weights. Default null.</param>
    public static DistillationObjective DistilledFeatures(string teacher, VisionTransformerConfig? architecture = null) => new(teacher, architecture);

    /// <summary>
    /// Distillation as in "Exploring Masked Autoencoders as Vision Learners" (Garcia, Senel and Frantzolas), made for small images and a teacher of
    /// large ones: as <see cref="DistilledFeatures"/>, with features as they are, a head of two layers, and normalised pixels (epsilon 1e-5).
    /// </summary>
    /// <param name="teacher">The teacher's weights: a safetensors file of ours, of timm or of facebookresearch/mae.</param>
    /// <param name="architecture">The teacher's shape; null takes that of the JSON file beside its weights. Default null.</param>
    public static DistillationObjective DistilledRawFeatures(string teacher, VisionTransformerConfig? architecture = null) =>
        new(teacher, architecture)
        {
            Projection = FeatureProjection.Mlp, NormalizeFeatures = false, Pixels = Pixel() with { Epsilon = 1e-5 },
        };

    /// <summary>
    /// SdAE: the decoder predicts features of a teacher that follows the encoder ("SdAE: Self-distillated Masked Autoencoder", Chen et al. 2022).
    /// </summary>
    /// <param name="folds">Folds in which the teacher sees the hidden patches; divides their number. Default 3.</param>
    public static SelfDistillationObjective SelfDistilledFeatures(int folds = 3) => new() { Folds = folds };

    /// <summary>
    /// DINO (Caron et al. 2021): nothing is hidden, a student follows its own moving average across crops of an image. For small sets of images:
    /// <c>Objective.Dino() with { OutputDim = 1024, HiddenDim = 512 }</c>.
    /// </summary>
    public static DinoObjective Dino() => new();

    /// <summary>
    /// A text that two objectives share only if they give the same losses: a run goes on only from a checkpoint of the same. Default all settings; a
    /// method that reads a file adds a hash of it, since a file keeps its name when another model is saved there.
    /// </summary>
    protected internal virtual string Identity => ToString();

    /// <summary>What the decoder is to predict. Default <see cref="DecoderTarget.Pixels"/>.</summary>
    public virtual DecoderTarget Target => DecoderTarget.Pixels;

    /// <summary>Whether the last step of the learning rate's rise has the peak already, as in DINO, not in MAE. Default false.</summary>
    internal virtual bool WarmupIncludesPeak => false;

    /// <summary>
    /// The pixel loss whose <see cref="ToPixels"/> is this objective's: an ONNX file holds that step, and its proof compares with this objective's own
    /// <see cref="ToPixels"/>. Null where the prediction is pixels already. Default null: an objective that overrides <see cref="ToPixels"/> and not this
    /// cannot be exported.
    /// </summary>
    public virtual PixelObjective? PixelTarget => null;

    /// <summary>What of the other options does not fit this objective, one sentence each. Default nothing.</summary>
    /// <param name="options">Options with this objective; encoder, decoder and masking are valid.</param>
    protected internal virtual IEnumerable<string> Faults(MaePretrainOptions options) => [];

    /// <summary>Pixels of a prediction, whatever exactly is predicted. Default the prediction itself.</summary>
    /// <param name="reconstruction">What a model whose decoder predicts pixels made of the images.</param>
    /// <returns><c>[batch, patches, patch * patch * channels]</c> in the units of the input images.</returns>
    public virtual Tensor ToPixels(Reconstruction reconstruction) => reconstruction.Prediction;

    /// <summary>Begins a run.</summary>
    /// <param name="model">The autoencoder to train, already on <paramref name="device"/>.</param>
    /// <param name="options">How it is trained.</param>
    /// <param name="device">Where the run is.</param>
    /// <returns>The losses of the run and what they need; the caller disposes it.</returns>
    public abstract ObjectiveRun Begin(MaskedAutoencoder model, MaePretrainOptions options, Device device);
}
