using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms;

/// <summary>Copies columns under new names.</summary>
public sealed class ColumnCopyingEstimator : TrivialEstimator<ColumnCopyingTransformer>
{
    internal ColumnCopyingEstimator(IHostEnvironment env, string outputColumnName, string inputColumnName)
        : base(
            Contracts.CheckRef(env, nameof(env)).Register(nameof(ColumnCopyingEstimator)),
            new ColumnCopyingTransformer(env, (outputColumnName, inputColumnName)))
    {
    }

    public override SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        Host.CheckValue(inputSchema, nameof(inputSchema));
        return inputSchema.With(Transformer.ColumnPairs.Select(Copy));

        SchemaShape.Column Copy((string Output, string Input) pair) =>
            inputSchema.TryFindColumn(pair.Input, out SchemaShape.Column source)
                ? new SchemaShape.Column(pair.Output, source.Kind, source.ItemType, source.IsKey, source.Annotations)
                : throw Host.ExceptSchemaMismatch(nameof(inputSchema), "input", pair.Input);
    }
}
