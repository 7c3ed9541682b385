using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>The fixed position tables of MAE and SMAE, computed in double precision.</summary>
internal static class PositionTable
{
    /// <summary>
    /// The table of an encoder or decoder, <c>[1, tokens, dim]</c>, float32: a row for each patch, before it one of zeros if the class token comes first. A
    /// fixed one is a buffer, one to be learned a parameter of zeros.
    /// </summary>
    public static Tensor Of(TransformerConfig config, int gridHeight, int gridWidth, bool classTokenFirst)
    {
        int offset = classTokenFirst ? 1 : 0, patches = gridHeight * gridWidth, dim = config.EmbedDim;
        if (config.Positions == PositionEncoding.Learned) return new Parameter(zeros(1, offset + patches, dim));
        var table = new float[(offset + patches) * dim];
        for (int i = 0; i < patches; i++)
        {
            Span<float> row = table.AsSpan((offset + i) * dim, dim);
            switch (config.Positions)
            {
                case PositionEncoding.SineCosine2D:   // the first half of the channels holds the column
                    SinesThenCosines(i % gridWidth, row[..(dim / 2)]);
                    SinesThenCosines(i / gridWidth, row[(dim / 2)..]);
                    break;
                case PositionEncoding.SineCosine1D:
                    SinesAndCosinesInTurn(i, row);
                    break;
            }
        }
        return tensor(table, [1, offset + patches, dim]);
    }

    private static void SinesThenCosines(int position, Span<float> row)
    {
        int half = row.Length / 2;
        for (int k = 0; k < half; k++)
            (row[k], row[half + k]) = SinCos(position, k, half);
    }

    private static void SinesAndCosinesInTurn(int position, Span<float> row)
    {
        int half = row.Length / 2;
        for (int k = 0; k < half; k++) (row[2 * k], row[2 * k + 1]) = SinCos(position, k, half);
    }

    private static (float Sin, float Cos) SinCos(int position, int k, int half)
    {
        double angle = position / Math.Pow(10000, (double)k / half);
        return ((float)Math.Sin(angle), (float)Math.Cos(angle));
    }
}
