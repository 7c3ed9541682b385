using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms.Image;

/// <summary>Makes vectors of pictures.</summary>
public sealed class ImagePixelExtractingEstimator : TrivialEstimator<ImagePixelExtractingTransformer>
{
    internal ImagePixelExtractingEstimator(IHostEnvironment env, string outputColumnName, string inputColumnName, PixelLayout layout)
        : base(
            Contracts.CheckRef(env, nameof(env)).Register(nameof(ImagePixelExtractingEstimator)),
            new ImagePixelExtractingTransformer(env, outputColumnName, inputColumnName ?? outputColumnName, layout))
    {
    }

    /// <summary>Which colours are taken.</summary>
    [Flags]
    public enum ColorBits : byte
    {
        Alpha = 0x01,
        Red = 0x02,
        Green = 0x04,
        Blue = 0x08,
        Rgb = Red | Green | Blue,
        All = Alpha | Red | Green | Blue,
    }

    /// <summary>The order in which they come.</summary>
    public enum ColorsOrder : byte
    {
        ARGB = 1,
        ARBG = 2,
        ABRG = 3,
        ABGR = 4,
        AGRB = 5,
        AGBR = 6,
    }

    public override SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        Host.CheckValue(inputSchema, nameof(inputSchema));
        ImageShapes.CheckImage(Host, inputSchema, Transformer.ColumnPairs[0].inputColumnName);
        string output = Transformer.ColumnPairs[0].outputColumnName;
        return inputSchema.With(new SchemaShape.Column(output, SchemaShape.Column.VectorKind.Vector, Transformer.Layout.ItemType, false));
    }
}
