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

    /// <summary>ViT-S/16 for images of 224x224 with the decoder of facebookresearch/mae.</summary>
    public static ModelShape VitSmall224 { get; } = new(224, 16, 384, 12, 6, 1536, 512, 8, 16, 2048);

    /// <summary>MAE's ViT-B/16.</summary>
    public static ModelShape VitB16 { get; } = new(224, 16, 768, 12, 12, 3072, 512, 8, 16, 2048);

    /// <summary>The shapes that the command line knows, by their names there; the first is the usual one.</summary>
    public static IReadOnlyDictionary<string, ModelShape> Named { get; } =
        new Dictionary<string, ModelShape> { ["vit-lite-7-4"] = VitLite, ["vit-small-224"] = VitSmall224 };

    /// <summary>As small as can be: to try a benchmark out.</summary>
    public static ModelShape Smallest { get; } = new(16, 4, 16, 1, 2, 32, 16, 1, 2, 32);

    [JsonIgnore]
    public int PatchCount => Image / Patch * (Image / Patch);

    /// <summary>Whether an image takes a second and more of a core to train on: batches are smaller then.</summary>
    [JsonIgnore]
    public bool IsLarge => Image > 64;

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
    /// <summary>A step of training by MAE: forward, and backward for the inputs and the weights of every product.</summary>
    /// <param name="shape">The model.</param>
    /// <param name="batch">Images.</param>
    /// <param name="ratio">Share of the patches that is hidden.</param>
    public static double TrainStep(ModelShape shape, int batch, double ratio)
    {
        double patches = shape.PatchCount, visible = (int)(patches * (1 - ratio)), hidden = patches - visible;
        // The loss is that of the hidden patches, and Smae's last decoder block works for no others. The image wants no gradient: the first layer's
        // backward is one product, not two.
        double embed = 2 * Product(visible, shape.PatchDim, shape.Dim);
        double others = shape.Depth * Block(visible + 1, visible + 1, shape.Dim, shape.Hidden) + Product(visible + 1, shape.Dim, shape.DecoderDim)
            + (shape.DecoderDepth - 1) * Block(patches + 1, patches + 1, shape.DecoderDim, shape.DecoderHidden)
            + Block(patches + 1, hidden, shape.DecoderDim, shape.DecoderHidden) + Product(hidden, shape.DecoderDim, shape.PatchDim);
        return batch * (embed + 3 * others);
    }

    /// <summary>A step of training a classifier of whole images, its head left out.</summary>
    public static double ClassifierStep(ModelShape shape, int batch) => 3 * Encode(shape, batch) - batch * Product(shape.PatchCount, shape.PatchDim, shape.Dim);

    /// <summary>Encoding whole images.</summary>
    public static double Encode(ModelShape shape, int batch) => batch * (Product(shape.PatchCount, shape.PatchDim, shape.Dim)
        + shape.Depth * Block(shape.PatchCount + 1, shape.PatchCount + 1, shape.Dim, shape.Hidden));

    private static double Product(double rows, double inner, double columns) => 2 * rows * inner * columns;

    /// <summary>Queries, keys and values of all tokens; for those asked for, scores and mix of all heads together, projection, two layers of the MLP.</summary>
    private static double Block(double tokens, double asked, double dim, double hidden) =>
        Product(tokens, dim, 3 * dim) + 2 * Product(asked, dim, tokens) + Product(asked, dim, dim) + 2 * Product(asked, dim, hidden);
}
