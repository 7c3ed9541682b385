using TorchSharp.Modules;
using TorchSharp.Utils;

namespace Smae.Training;

/// <summary>
/// A vision transformer that tells classes apart, as facebookresearch/mae fine-tunes it. With <see cref="Pooling.Mean"/> the tokens of the patches
/// are averaged before any norm and then normalised by <c>fc_norm</c> (its <c>global_pool</c>); with <see cref="Pooling.ClassToken"/> the class token
/// is taken after the encoder's own <c>norm</c>. A linear <c>head</c> follows.
/// </summary>
public sealed class VisionTransformerClassifier : nn.Module<Tensor, Tensor>, IPartwiseModel
{
    [ComponentName(Name = "backbone")] private readonly VisionTransformer _backbone;
    [ComponentName(Name = "fc_norm")] private readonly LayerNorm? _norm;
    [ComponentName(Name = "head")] private readonly nn.Module<Tensor, Tensor> _head;

    /// <summary>A new classifier with random weights, on the CPU; the head's are normal(0, 2e-5), its biases 0.</summary>
    /// <param name="config">The shape of the encoder. With <see cref="Pooling.Mean"/> it gets no final norm of its own.</param>
    /// <param name="pooling">How tokens become one vector. Default <see cref="Pooling.Mean"/>.</param>
    /// <param name="batchNorm">Whether batch normalisation without affine (epsilon 1e-6) stands before the head, as for probing. Default false.</param>
    /// <param name="seed">Seed of the random weights. Default 0.</param>
    /// <exception cref="ArgumentException">The parts of the configuration do not fit together, or a class token is pooled and there is none.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There are fewer than two classes.</exception>
    public VisionTransformerClassifier(
        VisionTransformerConfig config, int classes, Pooling pooling = Pooling.Mean, bool batchNorm = false, long seed = 0)
        : base(ModuleExtensions.Name(nameof(VisionTransformerClassifier)))
    {
        ArgumentNullException.ThrowIfNull(config);
        config.Validate();
        ArgumentOutOfRangeException.ThrowIfLessThan(classes, 2);
        if (pooling == Pooling.ClassToken && config.ClassToken == ClassToken.None)
            throw new ArgumentException("The encoder has no class token: pool by mean.", nameof(pooling));
        (Classes, Pooling, HasBatchNorm) = (classes, pooling, batchNorm);
        using DisposeScope scope = NewDisposeScope();
        using var generator = new Generator((ulong)RandomStream.Mix(seed, 2));
        _backbone = new VisionTransformer(pooling == Pooling.Mean ? config with { FinalNorm = false } : config, seed);
        if (pooling == Pooling.Mean) _norm = nn.LayerNorm(config.EmbedDim, config.LayerNormEpsilon);
        _head = ClassifierHead.Create(config.EmbedDim, classes, batchNorm, ClassifierHead.Std, generator);
        RegisterComponents();
        this.DetachFromDisposeScopes();
    }

    /// <summary>The encoder, without final norm where tokens are averaged.</summary>
    public VisionTransformer Backbone => _backbone;

    /// <summary>The shape of the encoder.</summary>
    public VisionTransformerConfig Config => _backbone.Config;

    /// <summary>Number of classes.</summary>
    public int Classes { get; }

    /// <summary>How tokens become one vector.</summary>
    public Pooling Pooling { get; }

    /// <summary>Whether batch normalisation stands before the head.</summary>
    public bool HasBatchNorm { get; }

    /// <summary>
    /// Tensors under timm's names: the encoder's as they are (<c>blocks.0...</c>), <c>fc_norm.*</c>, <c>head.weight</c> and <c>head.bias</c>, or with
    /// batch normalisation <c>head.0.*</c> and <c>head.1.*</c>. These are the tensors themselves, not copies.
    /// </summary>
    public IEnumerable<(string Name, Tensor Tensor)> Weights => ModelWeights.Of(_backbone)
        .Concat(ModelWeights.Named(this).Where(t => !t.Name.StartsWith("backbone.", StringComparison.Ordinal)));

    ForwardNoise IPartwiseModel.Noise => _backbone.Noise;

    int? IPartwiseModel.RowsPerImage => HasBatchNorm ? null : _backbone.Config.TokenCount;

    /// <summary>Classifies images.</summary>
    /// <param name="input">Normalised images, <c>[batch, channels, height, width]</c>.</param>
    /// <returns>Logits, <c>[batch, classes]</c>, float32.</returns>
    /// <exception cref="ArgumentException">The images are not of the size in <see cref="Config"/>.</exception>
    public override Tensor forward(Tensor input)
    {
        Tensor pooled = _backbone.Pool(_backbone.forward(input), Pooling);
        return _head.forward(_norm is null ? pooled : _norm.forward(pooled));
    }

    /// <summary>Copies an encoder's weights into <see cref="Backbone"/>. Learned positions of another grid are interpolated.</summary>
    /// <param name="encoder">The encoder, of the same width, depth and patch size, on any device.</param>
    /// <exception cref="ArgumentException">The encoder lacks a tensor, or has one of another shape; the message names each and both shapes.</exception>
    public void CopyFrom(VisionTransformer encoder)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        using DisposeScope scope = NewDisposeScope();
        using var noGrad = no_grad();
        Dictionary<string, Tensor> source = ModelWeights.Of(encoder).ToDictionary(t => t.Name, t => t.Tensor);
        (int, int) from = (encoder.Config.GridHeight, encoder.Config.GridWidth), to = (Config.GridHeight, Config.GridWidth);
        bool samePlaces = encoder.Config.ClassToken == Config.ClassToken;
        if (samePlaces && from != to) source["pos_embed"] = ModelWeights.ResizePositions(source["pos_embed"], from, to);
        string[] faults =
        [
            .. from wanted in ModelWeights.Of(_backbone)
               let found = source.GetValueOrDefault(wanted.Name)
               where found is null || !found.shape.SequenceEqual(wanted.Tensor.shape)
               select $"'{wanted.Name}' {(found is null ? "is missing" : ModelWeights.Misshapen(found.shape, wanted.Tensor.shape))}",
        ];
        if (faults.Length > 0) throw new ArgumentException($"The encoder does not fit this classifier: {string.Join("; ", faults)}.", nameof(encoder));
        foreach ((string name, Tensor tensor) in ModelWeights.Of(_backbone))
            if (tensor is Parameter || name != "pos_embed") tensor.copy_(source[name]);   // a fixed table is this model's own
    }
}

/// <summary>
/// A linear layer from embeddings to logits (<c>weight</c>, <c>bias</c>), or batch normalisation without affine and then that layer (<c>0.*</c>,
/// <c>1.*</c>, the names that facebookresearch/mae's probe has below <c>head</c>).
/// </summary>
internal static class ClassifierHead
{
    public const double BatchNormEpsilon = 1e-6, Std = 2e-5;   // as facebookresearch/mae's probe and fine-tuning

    public static nn.Module<Tensor, Tensor> Create(int inputs, int classes, bool batchNorm, double std, Generator generator)
    {
        var linear = new Linear(inputs, classes);
        using (no_grad()) linear.Weight.normal_(0, std, generator).ClampInPlace(-2, 2);
        return batchNorm ? nn.Sequential(("0", new BatchNormalization(inputs, BatchNormEpsilon)), ("1", linear)) : linear;
    }
}

/// <summary>
/// PyTorch's BatchNorm1d without affine, names included: in training the batch's own mean and variance, in evaluation running ones. TorchSharp's counts batches by
/// a number that it forgets (see <see cref="TensorArithmetic"/>).
/// </summary>
internal sealed class BatchNormalization : nn.Module<Tensor, Tensor>
{
    private const double Momentum = 0.1;
    private readonly double _epsilon;
    [ComponentName(Name = "running_mean")] private Tensor _mean;
    [ComponentName(Name = "running_var")] private Tensor _variance;
    [ComponentName(Name = "num_batches_tracked")] private Tensor _batches;

    public BatchNormalization(int inputs, double epsilon) : base(nameof(BatchNormalization))
    {
        _epsilon = epsilon;
        _mean = zeros(inputs).DetachFromDisposeScope();
        _variance = ones(inputs).DetachFromDisposeScope();
        _batches = tensor(0L).DetachFromDisposeScope();
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        if (training) _batches.AddInPlace(1);
        return nn.functional.batch_norm(input, _mean, _variance, training: training, momentum: Momentum, eps: _epsilon);
    }
}
