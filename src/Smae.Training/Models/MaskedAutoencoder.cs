using TorchSharp.Utils;

namespace Smae.Training;

/// <summary>
/// A masked autoencoder (He et al. 2022): a vision transformer encodes the visible patches of an image, a small decoder predicts all. With
/// <see cref="DecoderTarget.LinearPixels"/> it is SimMIM's (Xie et al. 2022): the encoder sees all patches, hidden ones as mask tokens.
/// </summary>
public sealed class MaskedAutoencoder : nn.Module<Tensor, PatchMask, Reconstruction>
{
    [ComponentName(Name = "encoder")] private readonly VisionTransformer _encoder;
    [ComponentName(Name = "decoder")] private readonly MaskedDecoder? _decoder;
    [ComponentName(Name = "head")] private readonly MaskTokenHead? _head;

    /// <summary>A new autoencoder with random weights, on the CPU.</summary>
    /// <param name="decoder">The shape of the decoder; null takes <see cref="VisionTransformerConfig.DefaultDecoder"/>.</param>
    /// <param name="seed">Seed of the random weights. Default 0.</param>
    /// <param name="target">What the decoder predicts. Default <see cref="DecoderTarget.Pixels"/>.</param>
    /// <exception cref="ArgumentException">The parts of a configuration do not fit together.</exception>
    public MaskedAutoencoder(
        VisionTransformerConfig encoder, DecoderConfig? decoder = null, long seed = 0, DecoderTarget target = DecoderTarget.Pixels)
        : base(ModuleExtensions.Name(nameof(MaskedAutoencoder)))
    {
        ArgumentNullException.ThrowIfNull(encoder);
        Target = target;
        DecoderConfig = decoder ?? encoder.DefaultDecoder;
        IEnumerable<string> decoderFaults = target.HasDecoder() ? DecoderConfig.Faults("Decoder") : [];
        Rules.Check(encoder.Faults("Encoder").Concat(decoderFaults), nameof(encoder));
        using DisposeScope scope = NewDisposeScope();
        using var generator = new Generator((ulong)RandomStream.Mix(seed, 1));
        _encoder = new VisionTransformer(encoder, seed);
        if (target == DecoderTarget.LinearPixels) _head = new MaskTokenHead(encoder, encoder.PatchDim, generator);
        if (target.HasDecoder())
        {
            int outputs = target == DecoderTarget.Pixels ? encoder.PatchDim : encoder.EmbedDim;
            _decoder = new MaskedDecoder(DecoderConfig, encoder, outputs, new WeightInitializer(encoder.Initialization, generator), _encoder.Noise);
        }
        RegisterComponents();
        this.DetachFromDisposeScopes();
    }

    /// <summary>The encoder: what is kept after pretraining.</summary>
    public VisionTransformer Encoder => _encoder;

    /// <summary>The shape of the encoder.</summary>
    public VisionTransformerConfig Config => _encoder.Config;

    /// <summary>What the decoder predicts.</summary>
    public DecoderTarget Target { get; }

    /// <summary>Why no picture can be made of what the decoder predicts; null where it can.</summary>
    public string? PictureFault => Target switch
    {
        DecoderTarget.Pixels or DecoderTarget.LinearPixels => null,
        DecoderTarget.Features => "The autoencoder predicts features of patches: expected one that predicts their pixels.",
        _ => "The autoencoder has no decoder and predicts nothing: expected one that predicts the pixels of patches.",
    };

    /// <summary>The shape of the decoder, where there is one.</summary>
    public DecoderConfig DecoderConfig { get; }

    /// <summary>The number format of the matrix products of encoder and decoder. Default <see cref="Precision.Float32"/>.</summary>
    public Precision Precision
    {
        get => _encoder.Precision;
        set
        {
            _encoder.Precision = value;
            if (_decoder is not null) _decoder.Compute = value.ToScalarType();
        }
    }

    /// <summary>Hides patches, encodes the others and predicts all.</summary>
    /// <param name="images">Normalised images, <c>[batch, channels, height, width]</c>.</param>
    /// <exception cref="ArgumentException">Images or mask are not of this model's size.</exception>
    /// <exception cref="InvalidOperationException">There is no decoder.</exception>
    public override Reconstruction forward(Tensor images, PatchMask mask)
    {
        if (_head is null) return Reconstruct(images, mask).Reconstruction;
        Tensor patches = Cut(images, mask), latent = _encoder.Encode(patches, mask.Hidden(), _head.MaskToken);
        return new Reconstruction(patches, latent, _head.forward(_encoder.PatchTokens(latent), _encoder.Precision.ToScalarType()), mask);
    }

    /// <summary>Predicts the hidden patches alone, for less than <see cref="forward"/>.</summary>
    /// <returns>All patches of the images, and the prediction of the hidden ones in the order of the mask, <c>[batch, hidden, outputs]</c>.</returns>
    internal (Tensor Patches, Tensor Prediction) PredictHidden(Tensor images, PatchMask mask)
    {
        Tensor patches = Cut(images, mask);
        if (_head is not null) return (patches, _head.PredictHidden(_encoder, patches, mask));
        Tensor latent = _encoder.Encode(patches, mask.Visible);
        return (patches, Decoder.PredictHidden(ForDecoder(latent), mask));
    }

    /// <summary>The same, with the encoder's residual stream after each block: see <see cref="VisionTransformer.Streams"/>.</summary>
    internal (Reconstruction Reconstruction, IReadOnlyList<Tensor> Streams) Reconstruct(Tensor images, PatchMask mask)
    {
        MaskedDecoder decoder = Decoder;
        Tensor patches = Cut(images, mask);
        Tensor[] streams = [.. _encoder.Streams(patches, mask.Visible)];
        Tensor latent = _encoder.Finish(streams), prediction = decoder.forward(ForDecoder(latent), mask);
        return (new Reconstruction(patches, latent, prediction, mask), streams);
    }

    private MaskedDecoder Decoder => _decoder ?? throw new InvalidOperationException("This model has no decoder: nothing can be predicted.");

    private Tensor Cut(Tensor images, PatchMask mask)
    {
        Tensor patches = _encoder.CutIntoPatches(images);
        mask.CheckSize(images.size(0), Config.PatchCount);
        return patches;
    }

    private Tensor ForDecoder(Tensor latent)
    {
        if (!MaskedDecoder.KeepsClassToken(DecoderConfig, Config)) return _encoder.PatchTokens(latent);
        return Config.RegisterTokens == 0 ? latent : cat([latent.narrow(1, 0, 1), _encoder.PatchTokens(latent)], 1);
    }
}

/// <summary>What a masked autoencoder made of a batch of images.</summary>
/// <param name="Patches">The patches of the images, <c>[batch, patches, patch * patch * channels]</c>.</param>
/// <param name="Latent">
/// The encoded visible patches, class token and registers included, <c>[batch, tokens, dim]</c>; all patches where hidden ones enter the encoder as mask tokens.
/// </param>
/// <param name="Prediction">Of every patch, <c>[batch, patches, patch * patch * channels]</c> of pixels or <c>[batch, patches, dim]</c> of features.</param>
public sealed record Reconstruction(Tensor Patches, Tensor Latent, Tensor Prediction, PatchMask Mask);

/// <summary>What the decoder of a masked autoencoder predicts for each patch.</summary>
public enum DecoderTarget
{
    /// <summary>Its pixels: <see cref="VisionTransformerConfig.PatchDim"/> numbers (MAE).</summary>
    Pixels,

    /// <summary>Features of the encoder's width: <see cref="TransformerConfig.EmbedDim"/> numbers of the encoder (SdAE).</summary>
    Features,

    /// <summary>Nothing: there is no decoder (DINO, MaskFeat, data2vec).</summary>
    None,

    /// <summary>
    /// Its pixels, by a single linear layer after an encoder that sees all patches, hidden ones as mask tokens (SimMIM); of no use is a
    /// <see cref="DecoderConfig"/>.
    /// </summary>
    LinearPixels,
}

internal static class DecoderTargets
{
    /// <summary>Whether a transformer predicts it, of the shape that a <see cref="DecoderConfig"/> gives.</summary>
    public static bool HasDecoder(this DecoderTarget target) => target is DecoderTarget.Pixels or DecoderTarget.Features;
}
