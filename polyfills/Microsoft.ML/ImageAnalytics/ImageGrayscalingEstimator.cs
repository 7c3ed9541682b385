using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms.Image;

/// <summary>Takes the colour out of pictures.</summary>
public sealed class ImageGrayscalingEstimator : TrivialEstimator<ImageGrayscalingTransformer>
{
    internal ImageGrayscalingEstimator(IHostEnvironment env, string outputColumnName, string inputColumnName)
        : base(
            Contracts.CheckRef(env, nameof(env)).Register(nameof(ImageGrayscalingEstimator)),
            new ImageGrayscalingTransformer(env, outputColumnName, inputColumnName ?? outputColumnName))
    {
    }

    public override SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        Host.CheckValue(inputSchema, nameof(inputSchema));
        SchemaShape.Column column = ImageShapes.CheckImage(Host, inputSchema, Transformer.ColumnPairs[0].inputColumnName);
        return inputSchema.With(
            new SchemaShape.Column(Transformer.ColumnPairs[0].outputColumnName, column.Kind, column.ItemType, column.IsKey, column.Annotations));
    }
}
