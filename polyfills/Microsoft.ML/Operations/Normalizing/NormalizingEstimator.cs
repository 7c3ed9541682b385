using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms;

/// <summary>Learns how to bring numbers to a common scale.</summary>
public sealed class NormalizingEstimator : IEstimator<NormalizingTransformer>
{
    private readonly IHost _host;
    private readonly Normalization _normalization;
    private readonly (string outputColumnName, string inputColumnName)[] _columns;

    internal NormalizingEstimator(
        IHostEnvironment env, Normalization normalization, params (string outputColumnName, string inputColumnName)[] columns)
    {
        Contracts.CheckValue(env, nameof(env));
        _host = env.Register(nameof(NormalizingEstimator));
        _host.CheckValue(columns, nameof(columns));
        _normalization = normalization;
        _columns = columns;
    }

    public NormalizingTransformer Fit(IDataView input)
    {
        _host.CheckValue(input, nameof(input));
        return NormalizingTransformer.Train(_host, input, _normalization, _columns);
    }

    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        _host.CheckValue(inputSchema, nameof(inputSchema));
        return inputSchema.With(_columns.Select(Normalized));

        SchemaShape.Column Normalized((string Output, string Input) pair)
        {
            if (!inputSchema.TryFindColumn(pair.Input, out SchemaShape.Column source))
                throw _host.ExceptSchemaMismatch(nameof(inputSchema), "input", pair.Input);
            if (source.Kind == SchemaShape.Column.VectorKind.VariableVector)
                throw _host.ExceptSchemaMismatch(nameof(inputSchema), "input", pair.Input, "known-size vector or scalar", source.GetTypeString());
            if (!source.ItemType.Equals(NumberDataViewType.Single) && !source.ItemType.Equals(NumberDataViewType.Double))
            {
                throw _host.ExceptSchemaMismatch(
                    nameof(inputSchema), "input", pair.Input, "vector or scalar of Single or Double", source.GetTypeString());
            }

            var annotations = new List<SchemaShape.Column>
            {
                new(AnnotationUtils.Kinds.IsNormalized, SchemaShape.Column.VectorKind.Scalar, BooleanDataViewType.Instance, false),
            };
            if (source.Annotations.TryFindColumn(AnnotationUtils.Kinds.SlotNames, out SchemaShape.Column names))
                annotations.Add(names);
            return new SchemaShape.Column(pair.Output, source.Kind, source.ItemType, source.IsKey, new SchemaShape(annotations));
        }
    }
}
