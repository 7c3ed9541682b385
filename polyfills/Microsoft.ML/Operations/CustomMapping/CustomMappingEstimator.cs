using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using VectorKind = Microsoft.ML.SchemaShape.Column.VectorKind;

namespace Microsoft.ML.Transforms;

/// <summary>Adds the columns that a user's code makes of each row.</summary>
public sealed class CustomMappingEstimator<TSrc, TDst> : TrivialEstimator<CustomMappingTransformer<TSrc, TDst>>
    where TSrc : class, new()
    where TDst : class, new()
{
    internal CustomMappingEstimator(
        IHostEnvironment env, Action<TSrc, TDst> mapAction, string contractName,
        SchemaDefinition inputSchemaDefinition = null, SchemaDefinition outputSchemaDefinition = null)
        : base(
            Contracts.CheckRef(env, nameof(env)).Register(nameof(CustomMappingEstimator<TSrc, TDst>)),
            new CustomMappingTransformer<TSrc, TDst>(env, mapAction, contractName, inputSchemaDefinition, outputSchemaDefinition))
    {
    }

    public override SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        foreach (MemberColumn wanted in MemberColumn.Create(typeof(TSrc), Transformer.InputSchemaDefinition))
        {
            if (!inputSchema.TryFindColumn(wanted.ColumnName, out SchemaShape.Column found))
                throw Contracts.ExceptSchemaMismatch(nameof(inputSchema), "input", wanted.ColumnName);
            SchemaShape.GetColumnTypeShape(wanted.ColumnType, out VectorKind kind, out DataViewType itemType, out bool isKey);
            // A vector of any size takes one of a known size too.
            bool fits = kind == found.Kind || (kind == VectorKind.VariableVector && found.Kind == VectorKind.Vector);
            if (itemType != found.ItemType || isKey != found.IsKey || !fits)
            {
                throw Contracts.ExceptSchemaMismatch(
                    null, nameof(inputSchema), "input", wanted.ColumnName, wanted.ColumnType.ToString(), found.GetTypeString());
            }
        }

        return inputSchema.With(SchemaShape.Create(MemberColumn.MakeSchema(Transformer.AddedColumns)));
    }
}
