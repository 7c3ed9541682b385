namespace Smae.Benchmarks;

/// <summary>
/// Floating-point operations of the matrix products of a model, exactly: a product of an n x k and a k x m matrix is 2 n k m of them. What is not a
/// product (normalisation, softmax, GELU, optimiser) is not counted, nor what is made a second time to save memory: it is what keeps a step from the rate of the machine's products.
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
