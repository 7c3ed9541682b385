using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms.Image;

/// <summary>Makes pictures of vectors.</summary>
public sealed class VectorToImageConvertingEstimator : TrivialEstimator<VectorToImageConvertingTransformer>
{
    internal VectorToImageConvertingEstimator(
        IHostEnvironment env, string outputColumnName, int imageHeight, int imageWidth, string inputColumnName, PixelLayout layout)
        : base(
            Contracts.CheckRef(env, nameof(env)).Register(nameof(VectorToImageConvertingEstimator)),
            new VectorToImageConvertingTransformer(env, outputColumnName, imageHeight, imageWidth, inputColumnName ?? outputColumnName, layout))
    {
    }

    public override SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        Host.CheckValue(inputSchema, nameof(inputSchema));
        (string output, string input) = Transformer.ColumnPairs[0];
        if (!inputSchema.TryFindColumn(input, out SchemaShape.Column column))
            throw Host.ExceptSchemaMismatch(nameof(inputSchema), "input", input);
        if (column.Kind != SchemaShape.Column.VectorKind.Vector || !VectorToImageConvertingTransformer.IsConvertible(column.ItemType))
        {
            throw Host.ExceptSchemaMismatch(
                nameof(inputSchema), "input", input, "known-size vector of type Single, Double or Byte", column.GetTypeString());
        }

        return inputSchema.With(new SchemaShape.Column(output, SchemaShape.Column.VectorKind.Scalar, Transformer.Type, false));
    }
}
