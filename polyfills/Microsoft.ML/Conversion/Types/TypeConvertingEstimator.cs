using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms;

/// <summary>Converts columns to another type.</summary>
public sealed class TypeConvertingEstimator : TrivialEstimator<TypeConvertingTransformer>
{
    internal TypeConvertingEstimator(IHostEnvironment env, DataKind outputKind, params (string outputColumnName, string inputColumnName)[] columns)
        : base(
            Contracts.CheckRef(env, nameof(env)).Register(nameof(TypeConvertingEstimator)),
            new TypeConvertingTransformer(env, outputKind, columns))
    {
    }

    public override SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        Host.CheckValue(inputSchema, nameof(inputSchema));
        return inputSchema.With(Transformer.ColumnPairs.Select(Converted));

        SchemaShape.Column Converted((string Output, string Input) pair)
        {
            if (!inputSchema.TryFindColumn(pair.Input, out SchemaShape.Column source))
                throw Host.ExceptSchemaMismatch(nameof(inputSchema), "input", pair.Input);
            PrimitiveDataViewType type = Transformer.OutputKind.ToPrimitiveType();
            if (!ValueConversions.Exists(source.ItemType, type))
                throw Host.ExceptParam(nameof(inputSchema), $"Don't know how to convert {pair.Input} into {type}");
            // The original forgets that keys stay keys.
            return new SchemaShape.Column(pair.Output, source.Kind, type, false, source.Annotations);
        }
    }
}
