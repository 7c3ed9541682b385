using System.ComponentModel.DataAnnotations;
using TorchSharp.Modules;
using TorchSharp.Utils;

namespace Smae.Training;

/// <summary>
/// BootMAE (Dong et al. 2022): two decoders look at what the encoder made of the visible patches. One predicts the pixels of the hidden ones, and in each of its
/// blocks also looks at the output of the encoder's first block, so that the encoder need not carry such detail; the other predicts features, and looks at the
/// output of the last block. The features are those of a moving average of the encoder that sees the whole image. <see cref="Recipes.BootMaePretrain"/> has the
/// rest.
/// </summary>
/// <remarks>
/// As in LightDXY/BootMAE: pixels are normalised by mean and variance of each channel of a patch (epsilon 1e-5), features are the last block's output without the
/// encoder's norm, and both they and their prediction are normalised over their channels. The decoder of the options is the shape of the decoder of pixels; the
/// other has its depth and the encoder's width. Both belong to the run: there is no picture of what is predicted, <see cref="ReconstructionGrid"/> refuses.
/// </remarks>
public sealed record BootMaeObjective : Objective
{
    private const double PixelEpsilon = 1e-5, FeatureEpsilon = 1e-6;

    internal BootMaeObjective()
    {
    }

    /// <summary>Weight of the features, the pixels' being 1. It rises to this linearly by epoch over the first quarter of the run. Default 1.</summary>
    [Range(0, double.MaxValue)] public double FeatureWeight { get; init; } = 1;

    /// <summary>
    /// Whether a hidden patch counts once more for the share of hidden ones among it and its eight neighbours: the middle of what is hidden counts most. Default
    /// true.
    /// </summary>
    public bool WeightMiddles { get; init; } = true;

    /// <summary>
    /// The teacher's share of itself after a step in the first epoch: <c>teacher = m teacher + (1 - m) encoder</c>. It goes linearly by epoch to 0.9999 in epoch 100
    /// and to 0.99999 in epoch 400. Default 0.999, which remembers some thousand steps: a run of fewer needs less.
    /// </summary>
    [Range(0, 1.0)] public double Momentum { get; init; } = 0.999;

    /// <inheritdoc/>
    public override DecoderTarget Target => DecoderTarget.None;

    /// <inheritdoc/>
    protected internal override bool HidesPatches => true;

    /// <inheritdoc/>
    protected internal override IEnumerable<string> Faults(MaePretrainOptions options) => (options.Decoder ?? options.Encoder.DefaultDecoder).Faults("Decoder");

    /// <inheritdoc/>
    public override ObjectiveRun Begin(MaskedAutoencoder model, MaePretrainOptions options, Device device) => new Run(this, model, options, device);

    internal double FeatureWeightAt(int epoch, int epochs) => FeatureWeight * Math.Min(1, 4.0 * (1 + epoch) / epochs);

    internal double MomentumAt(int epoch) => epoch < 100
        ? Momentum + epoch / 100.0 * (0.9999 - Momentum) : 0.9999 + Math.Min(300, epoch - 100) / 300.0 * (0.99999 - 0.9999);

    /// <summary>What is to be predicted for each patch: its pixels, normalised channel by channel.</summary>
    private static Tensor PixelTargets(Tensor patches, int channels)
    {
        Tensor pixels = patches.view(patches.size(0), patches.size(1), -1, channels), centered = pixels - pixels.mean([2L], keepdim: true);
        return (centered / centered.Squared().mean([2L], keepdim: true).Plus(PixelEpsilon).sqrt()).flatten(2);
    }

    private static Tensor Normalized(Tensor features) => nn.functional.layer_norm(features, [features.size(-1)], eps: FeatureEpsilon);

    internal sealed class Run : ObjectiveRun
    {
        private readonly BootMaeObjective _settings;
        private readonly VisionTransformer _encoder;
        private readonly FollowingTeacher _teacher;

        public Run(BootMaeObjective settings, MaskedAutoencoder model, MaePretrainOptions options, Device device)
        {
            (_settings, _encoder, _teacher) = (settings, model.Encoder, Own(new FollowingTeacher(model.Encoder, device)));
            VisionTransformerConfig encoder = model.Config;
            using Generator generator = options.HeadGenerator();
            var draw = new WeightInitializer(encoder.Initialization, generator);
            LookingDecoder Decoder(DecoderConfig config, int outputs) => Own(new LookingDecoder(config, encoder, outputs, draw, _encoder.Noise).to(device));
            Pixels = Decoder(model.DecoderConfig, encoder.PatchDim);
            Features = Decoder(model.DecoderConfig with { EmbedDim = encoder.EmbedDim, NumHeads = encoder.NumHeads }, encoder.EmbedDim);
        }

        public LookingDecoder Pixels { get; }

        public LookingDecoder Features { get; }

        public override IReadOnlyList<Parameter> Parameters => [.. Pixels.parameters(), .. Features.parameters()];

        public override IEnumerable<(string Name, Tensor Tensor)> State =>
            [.. ModelWeights.Named(Pixels, "pixels."), .. ModelWeights.Named(Features, "features."), .. _teacher.State];

        public override bool IsMeanOverImages => true;

        public override Tensor Loss(PretrainBatch batch)
        {
            (Tensor pixels, Tensor features) = Losses(batch.Images, batch.Mask);
            return pixels.Plus(features.Times(_settings.FeatureWeightAt(batch.Position.Epoch, batch.Position.Epochs)));
        }

        public override void StepEnded(TrainingPosition position) => _teacher.Follow(_settings.MomentumAt(position.Epoch));

        /// <summary>The two losses before they are weighted.</summary>
        internal (Tensor Pixels, Tensor Features) Losses(Tensor images, PatchMask mask)
        {
            Tensor patches = _encoder.CutIntoPatches(images), hidden = mask.HiddenIndices(), weights = Weights(mask).to(images.device);
            mask.CheckSize(patches.size(0), patches.size(1));
            Tensor Mean(Tensor prediction, Tensor target) => ((prediction - target).Squared().mean([-1L]) * weights).mean();
            (Tensor pixels, Tensor features) = Predict(patches, mask);
            return (Mean(pixels, PixelTargets(Patches.Pick(patches, hidden), _encoder.Config.Channels)),
                Mean(Normalized(features), Normalized(Patches.Pick(TeacherFeatures(patches), hidden))));
        }

        /// <summary>Pixels and features of the hidden patches, in the order of the mask.</summary>
        internal (Tensor Pixels, Tensor Features) Predict(Tensor patches, PatchMask mask)
        {
            Tensor[] streams = [.. _encoder.Streams(patches, mask.Visible)];
            Tensor latent = _encoder.Finish(streams);
            ScalarType compute = _encoder.Precision.ToScalarType();
            return (Pixels.forward(latent, streams[0], mask, compute), Features.forward(latent, streams[^1], mask, compute));
        }

        /// <summary>What the teacher makes of all patches, <c>[batch, patches, dim]</c>, without a graph.</summary>
        internal Tensor TeacherFeatures(Tensor patches)
        {
            using var noGrad = no_grad();
            return _teacher.Model.PatchTokens(_teacher.Model.Encode(patches, visible: null, normalize: false));
        }

        /// <summary>How much each hidden patch counts, <c>[batch, hidden]</c>.</summary>
        private Tensor Weights(PatchMask mask)
        {
            Tensor hidden = mask.Hidden();
            if (!_settings.WeightMiddles) return ones(1);
            Tensor around = nn.functional.avg_pool2d(hidden.view(-1, 1, _encoder.Config.GridHeight, _encoder.Config.GridWidth), 3, 1, 1);
            return around.flatten(1).Plus(1).gather(1, mask.HiddenIndices());
        }
    }
}

/// <summary>
/// A decoder of BootMAE: latents of the visible patches as they come, without positions, and a learned token at the position of each hidden one; in every block
/// all of them look at a context too.
/// </summary>
internal sealed class LookingDecoder(DecoderConfig config, VisionTransformerConfig encoder, int outputs, WeightInitializer draw, ForwardNoise noise)
    : PatchDecoder<LookingBlock>(
        nameof(LookingDecoder), config, encoder, classToken: false, outputs, draw, () => new LookingBlock(config, encoder.EmbedDim, noise))
{
    /// <param name="latent">The encoder's output, whatever tokens it has: <c>[batch, tokens, encoder dim]</c>, float32.</param>
    /// <param name="context">What every block looks at, <c>[batch, tokens, encoder dim]</c>, float32.</param>
    /// <returns>A prediction for the hidden patches, in the order of the mask: <c>[batch, hidden, outputs]</c>, float32.</returns>
    public Tensor forward(Tensor latent, Tensor context, PatchMask mask, ScalarType compute)
    {
        Tensor x = _embed.forward(latent.to_type(compute));
        long seen = x.size(1);
        Tensor positions = Patches.Pick(_positions.expand(x.size(0), -1, -1), mask.HiddenIndices());
        x = cat([x.to_type(ScalarType.Float32), _maskToken.Plus(positions)], 1);
        for (int i = 0; i < _blocks.Count; i++) x = _blocks[i].forward(x, context, compute, first: i == _blocks.Count - 1 ? seen : 0);
        return Predict(x, compute);
    }
}

/// <summary>A transformer block that looks at a context between attention and MLP: <c>norm3</c>, <c>norm4</c> of the context, <c>c_attn</c>, <c>ls3</c>.</summary>
internal sealed class LookingBlock : Block
{
    private readonly LayerNorm _norm3, _norm4;
    private readonly CrossAttention _cross;
    private readonly LayerScale? _scale3;

    public LookingBlock(TransformerConfig config, int contextDim, ForwardNoise noise) : base(config, noise)
    {
        _norm3 = nn.LayerNorm(config.EmbedDim, config.LayerNormEpsilon);
        _norm4 = nn.LayerNorm(contextDim, config.LayerNormEpsilon);
        _cross = new CrossAttention(config, contextDim, noise);
        if (config.LayerScale is { } start) _scale3 = new LayerScale(config.EmbedDim, start);
        register_module("norm3", _norm3);   // the base has registered its own by then
        register_module("norm4", _norm4);
        register_module("c_attn", _cross);
        if (_scale3 is not null) register_module("ls3", _scale3);
    }

    /// <param name="x">The residual stream <c>[batch, tokens, dim]</c>, float32.</param>
    /// <param name="context">What is looked at, <c>[batch, others, context dim]</c>, float32.</param>
    /// <param name="first">The first token that is asked for; those before it are only looked at.</param>
    /// <returns>The residual stream after this block, <c>[batch, tokens - first, dim]</c>, float32.</returns>
    public Tensor forward(Tensor x, Tensor context, ScalarType compute, long first)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor normed = _norm4.forward(context).to_type(compute);
        x = Add(Look(x, compute, first), _norm3, query => _cross.forward(query, normed), _scale3, compute);
        return Think(x, compute).MoveToOuterDisposeScope();
    }
}

/// <summary>Multi-head attention of some tokens to others: <c>q</c>, <c>kv</c> and <c>proj</c>.</summary>
internal sealed class CrossAttention : nn.Module<Tensor, Tensor, Tensor>
{
    private readonly int _heads;
    private readonly double _dropout;
    private readonly ForwardNoise _noise;
    [ComponentName(Name = "q")] private readonly Linear _query;
    [ComponentName(Name = "kv")] private readonly Linear _keysAndValues;
    [ComponentName(Name = "proj")] private readonly Linear _proj;

    public CrossAttention(TransformerConfig config, int contextDim, ForwardNoise noise) : base(nameof(CrossAttention))
    {
        (_heads, _dropout, _noise) = (config.NumHeads, config.Dropout, noise);
        _query = new Linear(config.EmbedDim, config.EmbedDim);
        _keysAndValues = new Linear(contextDim, 2 * config.EmbedDim);
        _proj = new Linear(config.EmbedDim, config.EmbedDim);
        RegisterComponents();
    }

    /// <param name="x">Tokens that look, <c>[batch, tokens, dim]</c>.</param>
    /// <param name="context">Tokens that are looked at, <c>[batch, others, context dim]</c>.</param>
    public override Tensor forward(Tensor x, Tensor context)
    {
        long batch = x.size(0), tokens = x.size(1), dim = x.size(2);
        Tensor Heads(Tensor projected) => projected.view(batch, -1, _heads, dim / _heads).transpose(1, 2);
        Tensor[] both = _keysAndValues.forward(context).chunk(2, 2);
        Tensor scores = matmul(Heads(_query.forward(x)).Times(1 / Math.Sqrt((double)dim / _heads)), Heads(both[0]).transpose(-2, -1));
        x = _proj.forward(matmul(scores.softmax(-1), Heads(both[1])).transpose(1, 2).reshape(batch, tokens, dim));
        return training ? _noise.Dropout(x, _dropout) : x;
    }
}
