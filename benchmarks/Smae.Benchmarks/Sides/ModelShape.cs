using System.Text.Json.Serialization;
using Smae.Training;

namespace Smae.Benchmarks;

/// <summary>The shape of the autoencoder that both sides build: names as in <c>pytorch/model.py</c>.</summary>
internal sealed record ModelShape(
    int Image, int Patch, int Dim, int Depth, int Heads, int Hidden,
    [property: JsonPropertyName("decoder_dim")] int DecoderDim, [property: JsonPropertyName("decoder_depth")] int DecoderDepth,
    [property: JsonPropertyName("decoder_heads")] int DecoderHeads, [property: JsonPropertyName("decoder_hidden")] int DecoderHidden)
{
    /// <summary>The sizes of the SMAE paper's ViT-Lite-7/4, built as facebookresearch/mae builds a model: class token first, GELU, pre-norm.</summary>
    public static ModelShape VitLite { get; } = new(64, 4, 256, 7, 4, 512, 128, 2, 4, 256);

    /// <summary>As small as can be: to try a benchmark out.</summary>
    public static ModelShape Smallest { get; } = new(16, 4, 16, 1, 2, 32, 16, 1, 2, 32);

    [JsonIgnore]
    public int PatchCount => Image / Patch * (Image / Patch);

    [JsonIgnore]
    public int PatchDim => Patch * Patch * 3;

    /// <summary>
    /// The same layers, so narrow and on so few patches that their arithmetic takes no time: what is left of a step is the way to it, through C#, the
    /// binding and libtorch's own dispatch.
    /// </summary>
    public ModelShape Hollow() => this with
    {
        Image = 2 * Patch, Dim = 4 * Heads, Hidden = 4 * Heads, DecoderDim = 4 * DecoderHeads, DecoderHidden = 4 * DecoderHeads,
    };

    /// <summary>This shape as Smae's encoder.</summary>
    public VisionTransformerConfig ToEncoder() => new()
    {
        ImageHeight = Image, ImageWidth = Image, PatchSize = Patch, EmbedDim = Dim, Depth = Depth, NumHeads = Heads, MlpRatio = (double)Hidden / Dim,
    };

    /// <summary>This shape as Smae's decoder.</summary>
    public DecoderConfig ToDecoder() => DecoderConfig.Mae with
    {
        EmbedDim = DecoderDim, Depth = DecoderDepth, NumHeads = DecoderHeads, MlpRatio = (double)DecoderHidden / DecoderDim,
    };
}
