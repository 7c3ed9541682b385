using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms.Image;

namespace Microsoft.ML.Data;

/// <summary>Loads picture files whose paths are in a text column.</summary>
public sealed class ImageLoadingEstimator : TrivialEstimator<ImageLoadingTransformer>
{
    internal ImageLoadingEstimator(IHostEnvironment env, string imageFolder, bool decode, string outputColumnName, string inputColumnName)
        : base(
            Contracts.CheckRef(env, nameof(env)).Register(nameof(ImageLoadingEstimator)),
            new ImageLoadingTransformer(env, imageFolder, decode, outputColumnName, inputColumnName ?? outputColumnName))
    {
    }

    public override SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        Host.CheckValue(inputSchema, nameof(inputSchema));
        (string output, string input) = Transformer.ColumnPairs[0];
        if (!inputSchema.TryFindColumn(input, out SchemaShape.Column column))
            throw Host.ExceptSchemaMismatch(nameof(inputSchema), "input", input);
        if (column.ItemType is not TextDataViewType || column.Kind != SchemaShape.Column.VectorKind.Scalar)
            throw Host.ExceptSchemaMismatch(nameof(inputSchema), "input", input, TextDataViewType.Instance.ToString(), column.GetTypeString());
        return inputSchema.With(
            Transformer.Decodes
                ? new SchemaShape.Column(output, SchemaShape.Column.VectorKind.Scalar, new ImageDataViewType(), false)
                : new SchemaShape.Column(output, SchemaShape.Column.VectorKind.VariableVector, NumberDataViewType.Byte, false));
    }
}
