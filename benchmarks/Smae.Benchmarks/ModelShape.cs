using System.Text.Json.Serialization;
using Smae.Training;

namespace Smae.Benchmarks;

/// <summary>The shape of the autoencoder that all sides build: names as in <c>pytorch/model.py</c>.</summary>
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

/// <summary>
/// Floating-point operations of the matrix products of a model, exactly: a product of an n x k and a k x m matrix is 2 n k m of them. What is not a
/// product (normalisation, softmax, GELU, optimiser) is not counted, nor what is made a second time to save memory: all of
/// that is what keeps a step from the rate of the machine's products.
/// </summary>
internal static class OperationCount
{
    /// <summary>A step of training: forward, and backward for the inputs and the weights of every product.</summary>
    /// <param name="shape">The model.</param>
    /// <param name="batch">Images.</param>
    /// <param name="ratio">Share of the patches that is hidden.</param>
    /// <param name="critic">Whether there is SMAE's critic.</param>
    public static double TrainStep(ModelShape shape, int batch, double ratio, bool critic = false)
    {
        double patches = shape.PatchCount, visible = (int)(patches * (1 - ratio)), outputs = shape.PatchDim;
        // MAE's loss is that of the hidden patches, and Smae's last decoder block works for no others; SMAE's critic looks at whole images.
        double predicted = critic ? patches : patches - visible;
        // The image wants no gradient: the first layer's backward is one product, not two.
        double embed = 2 * Product(visible, outputs, shape.Dim);
        double others = Blocks(visible + 1, shape.Dim, shape.Hidden, shape.Depth) + Product(visible + 1, shape.Dim, shape.DecoderDim)
            + Blocks(patches + 1, shape.DecoderDim, shape.DecoderHidden, shape.DecoderDepth - 1)
            + Block(patches + 1, critic ? patches + 1 : predicted, shape.DecoderDim, shape.DecoderHidden) + Product(predicted, shape.DecoderDim, outputs);
        // The critic is frozen: forward on the image; forward and backward to its input on the reconstruction.
        return batch * (embed + 3 * others + (critic ? 3 * Critic(shape.Image) : 0));
    }

    /// <summary>Encoding whole images.</summary>
    public static double Encode(ModelShape shape, int batch) =>
        batch * (Product(shape.PatchCount, shape.PatchDim, shape.Dim) + Blocks(shape.PatchCount + 1, shape.Dim, shape.Hidden, shape.Depth));

    private static double Product(double rows, double inner, double columns) => 2 * rows * inner * columns;

    private static double Blocks(double tokens, double dim, double hidden, int depth) => depth * Block(tokens, tokens, dim, hidden);

    /// <summary>Queries, keys and values of all tokens; for those asked for, scores and mix of all heads together, projection, two layers of the MLP.</summary>
    private static double Block(double tokens, double asked, double dim, double hidden) =>
        Product(tokens, dim, 3 * dim) + 2 * Product(asked, dim, tokens) + Product(asked, dim, dim) + 2 * Product(asked, dim, hidden);

    /// <summary>SqueezeNet v1.1 up to its second Fire module.</summary>
    private static double Critic(int image)
    {
        double first = (image - 3) / 2 + 1, pooled = Math.Ceiling((first - 3) / 2) + 1, area = pooled * pooled;
        double Fire(double inputs) => Product(area, inputs, 16) + Product(area, 16, 64) + Product(area, 9 * 16, 64);
        return Product(first * first, 9 * 3, 64) + Fire(64) + Fire(128);
    }
}
