using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms;

/// <summary>Turns keys back into values.</summary>
public sealed class KeyToValueMappingEstimator : TrivialEstimator<KeyToValueMappingTransformer>
{
    internal KeyToValueMappingEstimator(IHostEnvironment env, params (string outputColumnName, string inputColumnName)[] columns)
        : base(
            Contracts.CheckRef(env, nameof(env)).Register(nameof(KeyToValueMappingEstimator)),
            new KeyToValueMappingTransformer(env, columns))
    {
    }

    public override SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        Host.CheckValue(inputSchema, nameof(inputSchema));
        return inputSchema.With(Transformer.ColumnPairs.Select(Values));

        SchemaShape.Column Values((string Output, string Input) pair)
        {
            if (!inputSchema.TryFindColumn(pair.Input, out SchemaShape.Column source))
                throw Host.ExceptSchemaMismatch(nameof(inputSchema), "input", pair.Input);
            if (!source.IsKey)
                throw Host.ExceptSchemaMismatch(nameof(inputSchema), "input", pair.Input, "KeyType", source.GetTypeString());
            if (!source.Annotations.TryFindColumn(AnnotationUtils.Kinds.KeyValues, out SchemaShape.Column values))
                throw Host.ExceptParam(nameof(inputSchema), $"Input column '{pair.Input}' doesn't contain key values metadata");
            SchemaShape annotations =
                source.HasSlotNames() && source.Annotations.TryFindColumn(AnnotationUtils.Kinds.SlotNames, out SchemaShape.Column names)
                    ? new SchemaShape([names])
                    : null;
            return new SchemaShape.Column(pair.Output, source.Kind, values.ItemType, values.IsKey, annotations);
        }
    }
}
