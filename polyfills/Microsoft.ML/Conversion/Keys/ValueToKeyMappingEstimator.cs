using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms;

/// <summary>Learns the values of columns and gives them keys.</summary>
public sealed class ValueToKeyMappingEstimator : IEstimator<ValueToKeyMappingTransformer>
{
    private readonly IHost _host;
    private readonly (string outputColumnName, string inputColumnName)[] _columns;
    private readonly KeyMappingOptions _options;

    internal ValueToKeyMappingEstimator(
        IHostEnvironment env, (string outputColumnName, string inputColumnName)[] columns, KeyMappingOptions options)
    {
        Contracts.CheckValue(env, nameof(env));
        _host = env.Register(nameof(ValueToKeyMappingEstimator));
        _host.CheckNonEmpty(columns, nameof(columns));
        if (options.KeyData != null && options.KeyData.Schema.Count != 1)
            throw _host.ExceptParam("keyData", $"The data view of the terms should have a single column, but has {options.KeyData.Schema.Count}.");
        _columns = columns;
        _options = options;
    }

    /// <summary>The order of the keys.</summary>
    public enum KeyOrdinality : byte
    {
        ByOccurrence = 0,
        ByValue = 1,
    }

    public ValueToKeyMappingTransformer Fit(IDataView input) => ValueToKeyMappingTransformer.Train(_host, input, _columns, _options);

    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        _host.CheckValue(inputSchema, nameof(inputSchema));
        return inputSchema.With(_columns.Select(Keys));

        SchemaShape.Column Keys((string Output, string Input) pair)
        {
            if (!inputSchema.TryFindColumn(pair.Input, out SchemaShape.Column source) || !source.ItemType.IsStandardScalar())
                throw _host.ExceptSchemaMismatch(nameof(inputSchema), "input", pair.Input);
            SchemaShape.Column values = default;
            if (source.IsKey && source.HasKeyValues())
                source.Annotations.TryFindColumn(AnnotationUtils.Kinds.KeyValues, out values);
            else
            {
                DataViewType type = _options.AnnotationsAsText ? TextDataViewType.Instance : source.ItemType;
                bool isKey = source.IsKey && !_options.AnnotationsAsText;
                values = new(AnnotationUtils.Kinds.KeyValues, SchemaShape.Column.VectorKind.Vector, type, isKey);
            }

            SchemaShape annotations = source.Annotations.TryFindColumn(AnnotationUtils.Kinds.SlotNames, out SchemaShape.Column names)
                ? new SchemaShape([names, values])
                : new SchemaShape([values]);
            return new SchemaShape.Column(pair.Output, source.Kind, NumberDataViewType.UInt32, true, annotations);
        }
    }
}
