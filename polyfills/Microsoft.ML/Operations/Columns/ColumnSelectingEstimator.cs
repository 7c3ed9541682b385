using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms;

/// <summary>Keeps columns, or drops them.</summary>
public sealed class ColumnSelectingEstimator : TrivialEstimator<ColumnSelectingTransformer>
{
    internal ColumnSelectingEstimator(IHostEnvironment env, string[] keepColumns, string[] dropColumns, bool keepHidden = false)
        : base(
            Contracts.CheckRef(env, nameof(env)).Register(nameof(ColumnSelectingEstimator)),
            new ColumnSelectingTransformer(env, keepColumns, dropColumns, keepHidden))
    {
    }

    public override SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        Host.CheckValue(inputSchema, nameof(inputSchema));
        string[] missing = [.. Transformer.Names.Where(name => !inputSchema.TryFindColumn(name, out _))];
        if (missing.Length > 0)
            throw Host.ExceptSchemaMismatch(nameof(inputSchema), "input", string.Join(",", missing));
        return new SchemaShape(inputSchema.Where(c => Transformer.Names.Contains(c.Name) == Transformer.Keep));
    }
}
