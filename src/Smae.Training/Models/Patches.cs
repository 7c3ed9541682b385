using TorchSharp.Modules;
using TorchSharp.Utils;

namespace Smae.Training;

/// <summary>Cuts images into patches and puts patches together again. A patch is flattened as (row, column, channel), as in facebookresearch/mae.</summary>
public static class Patches
{
    /// <summary>Cuts images into patches, row by row of the grid.</summary>
    /// <param name="images"><c>[batch, channels, height, width]</c>.</param>
    /// <param name="patchSize">Height and width of a patch in pixels; divides both sides of the image.</param>
    /// <returns><c>[batch, patches, patchSize * patchSize * channels]</c>.</returns>
    /// <exception cref="ArgumentException">The images do not have four dimensions, or a side is no multiple of the patch.</exception>
    public static Tensor FromImages(Tensor images, int patchSize)
    {
        long[] s = images.shape;
        if (s.Length != 4) throw new ArgumentException($"Images have the shape [{string.Join(", ", s)}]: expected [batch, channels, height, width].", nameof(images));
        if (patchSize < 1 || s[2] % patchSize != 0 || s[3] % patchSize != 0)
            throw new ArgumentException($"Images of {s[2]}x{s[3]} pixels cannot be cut into patches of {patchSize}x{patchSize}.", nameof(patchSize));
        long rows = s[2] / patchSize, columns = s[3] / patchSize;
        return images.view(s[0], s[1], rows, patchSize, columns, patchSize)
            .permute(0, 2, 4, 3, 5, 1)
            .reshape(s[0], rows * columns, patchSize * patchSize * s[1]);
    }

    /// <summary>Puts patches together again: the inverse of <see cref="FromImages"/>.</summary>
    /// <param name="patches"><c>[batch, patches, patchSize * patchSize * channels]</c>.</param>
    /// <param name="config">Image size, patch size and channels.</param>
    /// <returns><c>[batch, channels, height, width]</c>.</returns>
    public static Tensor ToImages(Tensor patches, VisionTransformerConfig config)
    {
        long batch = patches.size(0), p = config.PatchSize;
        return patches.view(batch, config.GridHeight, config.GridWidth, p, p, config.Channels)
            .permute(0, 5, 1, 3, 2, 4)
            .reshape(batch, config.Channels, config.ImageHeight, config.ImageWidth);
    }

    /// <summary>Picks tokens of each image, <c>[batch, patches, dim]</c>, by <c>[batch, picked]</c>, int64.</summary>
    internal static Tensor Pick(Tensor tokens, Tensor indices) => tokens.gather(1, indices.unsqueeze(-1).expand(-1, -1, tokens.size(2)));
}

/// <summary>
/// Projects patches to tokens (timm's <c>patch_embed</c>). The weight is stored as the convolution that timm and facebookresearch/mae keep,
/// <c>[dim, channels, patch, patch]</c>, and used as a linear layer: only the visible patches are ever projected.
/// </summary>
internal sealed class PatchEmbed : nn.Module<Tensor, ScalarType, Tensor>
{
    [ComponentName(Name = "proj")] private readonly Conv2d _projection;

    public PatchEmbed(VisionTransformerConfig config) : base(nameof(PatchEmbed))
    {
        _projection = nn.Conv2d(config.Channels, config.EmbedDim, config.PatchSize, stride: config.PatchSize);
        nn.init.zeros_(_projection.bias!);
        RegisterComponents();
    }

    public Parameter Weight => _projection.weight;

    /// <param name="patches"><c>[batch, patches, patch * patch * channels]</c>.</param>
    /// <returns><c>[batch, patches, dim]</c> of that type.</returns>
    public override Tensor forward(Tensor patches, ScalarType compute)
    {
        Tensor weight = Weight.permute(0, 2, 3, 1).flatten(1);   // (channel, row, column) to the order of a patch
        return nn.functional.linear(patches.to_type(compute), weight.to_type(compute), _projection.bias!.to_type(compute));
    }
}

/// <summary>The fixed position tables of MAE and SMAE, computed in double precision.</summary>
internal static class PositionTable
{
    /// <summary>
    /// <c>[1, tokens, dim]</c>, float32: a row for each patch, before it one of zeros if the class token comes first. A fixed table is a buffer, one to be
    /// learned a parameter of zeros.
    /// </summary>
    public static Tensor Of(TransformerConfig config, int gridHeight, int gridWidth, bool classTokenFirst)
    {
        int offset = classTokenFirst ? 1 : 0, patches = gridHeight * gridWidth, dim = config.EmbedDim;
        if (config.Positions == PositionEncoding.Learned) return new Parameter(zeros(1, offset + patches, dim));
        var table = new float[(offset + patches) * dim];
        for (int i = 0; i < patches; i++)
        {
            Span<float> row = table.AsSpan((offset + i) * dim, dim);
            if (config.Positions == PositionEncoding.SineCosine1D) Waves(i, row, inTurn: true);
            else
            {
                Waves(i % gridWidth, row[..(dim / 2)], inTurn: false);   // the first half of the channels holds the column
                Waves(i / gridWidth, row[(dim / 2)..], inTurn: false);
            }
        }
        return tensor(table, [1, offset + patches, dim]);
    }

    /// <summary>All sines and then all cosines of a position, or the two in turn.</summary>
    private static void Waves(int position, Span<float> row, bool inTurn)
    {
        int half = row.Length / 2;
        for (int k = 0; k < half; k++)
        {
            double angle = position / Math.Pow(10000, (double)k / half);
            (row[inTurn ? 2 * k : k], row[inTurn ? 2 * k + 1 : half + k]) = ((float)Math.Sin(angle), (float)Math.Cos(angle));
        }
    }
}
