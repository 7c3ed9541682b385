using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms.Image;

/// <summary>Resizes pictures.</summary>
public sealed class ImageResizingEstimator : TrivialEstimator<ImageResizingTransformer>
{
    internal ImageResizingEstimator(
        IHostEnvironment env, string outputColumnName, int imageWidth, int imageHeight, string inputColumnName,
        ResizingKind resizing, Anchor cropAnchor)
        : base(
            Contracts.CheckRef(env, nameof(env)).Register(nameof(ImageResizingEstimator)),
            new ImageResizingTransformer(env, outputColumnName, imageWidth, imageHeight, inputColumnName, resizing, cropAnchor))
    {
    }

    /// <summary>What becomes of another aspect ratio.</summary>
    public enum ResizingKind : byte
    {
        IsoPad = 0,
        IsoCrop = 1,
        Fill = 2,
    }

    /// <summary>Which side stays when the others are cropped.</summary>
    public enum Anchor : byte
    {
        Right = 0,
        Left = 1,
        Top = 2,
        Bottom = 3,
        Center = 4,
    }

    public override SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        Host.CheckValue(inputSchema, nameof(inputSchema));
        ImageShapes.CheckImage(Host, inputSchema, Transformer.ColumnPairs[0].inputColumnName);
        return inputSchema.With(
            new SchemaShape.Column(Transformer.ColumnPairs[0].outputColumnName, SchemaShape.Column.VectorKind.Scalar, Transformer.Type, false));
    }
}
