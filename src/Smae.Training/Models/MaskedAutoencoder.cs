using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>
/// A masked autoencoder (He et al. 2022, facebookresearch/mae): a vision transformer encodes the visible patches of an image,
/// a small decoder predicts all of them.
/// </summary>
public sealed class MaskedAutoencoder : nn.Module<Tensor, PatchMask, Reconstruction>
{
    [ComponentName(Name = "encoder")] private readonly VisionTransformer _encoder;
    [ComponentName(Name = "decoder")] private readonly MaskedDecoder _decoder;

    /// <summary>A new autoencoder with random weights, on the CPU.</summary>
    /// <param name="encoder">The shape of the encoder.</param>
    /// <param name="decoder">The shape of the decoder; null takes <see cref="VisionTransformerConfig.DefaultDecoder"/>.</param>
    /// <param name="seed">Seed of the random weights. Default 0.</param>
    /// <exception cref="ArgumentException">The parts of a configuration do not fit together.</exception>
    public MaskedAutoencoder(VisionTransformerConfig encoder, DecoderConfig? decoder = null, long seed = 0) : base(nameof(MaskedAutoencoder))
    {
        ArgumentNullException.ThrowIfNull(encoder);
        DecoderConfig = decoder ?? encoder.DefaultDecoder;
        Guard.NoFaults(encoder.Faults("Encoder").Concat(DecoderConfig.Faults("Decoder")), nameof(encoder));
        using DisposeScope scope = NewDisposeScope();
        using var generator = new Generator((ulong)RandomStream.Mix(seed, 1));
        _encoder = new VisionTransformer(encoder, seed);
        _decoder = new MaskedDecoder(DecoderConfig, encoder, new WeightInitializer(encoder.Initialization, generator), _encoder.Noise);
        RegisterComponents();
        this.DetachFromDisposeScopes();
    }

    /// <summary>The encoder: what is kept after pretraining.</summary>
    public VisionTransformer Encoder => _encoder;

    /// <summary>The shape of the encoder.</summary>
    public VisionTransformerConfig Config => _encoder.Config;

    /// <summary>The shape of the decoder.</summary>
    public DecoderConfig DecoderConfig { get; }

    /// <summary>The number format of the matrix products of encoder and decoder. Default <see cref="Precision.Float32"/>.</summary>
    public Precision Precision
    {
        get => _encoder.Precision;
        set => (_encoder.Precision, _decoder.Compute) = (value, value.ToScalarType());
    }

    /// <summary>Hides patches, encodes the others and predicts all.</summary>
    /// <param name="images">Normalised images, <c>[batch, channels, height, width]</c>.</param>
    /// <param name="mask">Which patches are hidden.</param>
    /// <exception cref="ArgumentException">Images or mask are not of this model's size.</exception>
    public override Reconstruction forward(Tensor images, PatchMask mask)
    {
        if (mask.PatchCount != Config.PatchCount || mask.BatchSize != images.size(0))
            throw new ArgumentException(
                $"The mask is for {mask.BatchSize} images of {mask.PatchCount} patches: expected {images.size(0)} of {Config.PatchCount}.", nameof(mask));
        Tensor patches = _encoder.CutIntoPatches(images);
        Tensor latent = _encoder.Encode(patches, mask.Visible);
        bool keep = MaskedDecoder.KeepsClassToken(DecoderConfig, Config);
        Tensor prediction = _decoder.forward(keep ? latent : _encoder.WithoutClassToken(latent), mask);
        return new Reconstruction(patches, latent, prediction, mask);
    }
}
