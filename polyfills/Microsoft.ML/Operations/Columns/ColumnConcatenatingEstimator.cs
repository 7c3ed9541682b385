using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms;

/// <summary>Makes one vector of several columns.</summary>
public sealed class ColumnConcatenatingEstimator : IEstimator<ColumnConcatenatingTransformer>
{
    private readonly IHost _host;
    private readonly string _name;
    private readonly string[] _sources;

    internal ColumnConcatenatingEstimator(IHostEnvironment env, string outputColumnName, params string[] inputColumnNames)
    {
        Contracts.CheckValue(env, nameof(env));
        _host = env.Register(nameof(ColumnConcatenatingEstimator));
        _host.CheckNonEmpty(outputColumnName, nameof(outputColumnName));
        _host.CheckValue(inputColumnNames, nameof(inputColumnNames));
        _host.CheckParam(inputColumnNames.Length > 0, nameof(inputColumnNames), "Input columns not specified");
        _host.CheckParam(!inputColumnNames.Any(string.IsNullOrEmpty), nameof(inputColumnNames), "Contained some null or empty items");
        _name = outputColumnName;
        _sources = inputColumnNames;
    }

    public ColumnConcatenatingTransformer Fit(IDataView input)
    {
        _host.CheckValue(input, nameof(input));
        return new ColumnConcatenatingTransformer(_host, _name, _sources);
    }

    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        _host.CheckValue(inputSchema, nameof(inputSchema));
        SchemaShape.Column[] sources = [.. _sources.Select(Find)];
        foreach (SchemaShape.Column source in sources)
        {
            _host.Check(!source.IsKey, $"Column '{source.Name}' is a key, and keys cannot be concatenated.");
            _host.Check(
                source.ItemType.Equals(sources[0].ItemType),
                $"Column '{source.Name}' of {source.ItemType} cannot be concatenated with columns of {sources[0].ItemType}.");
        }

        bool variable = sources.Any(s => s.Kind == SchemaShape.Column.VectorKind.VariableVector);
        var annotations = new List<SchemaShape.Column>();
        if (sources.All(s => s.IsNormalized()))
            annotations.Add(new(AnnotationUtils.Kinds.IsNormalized, SchemaShape.Column.VectorKind.Scalar, BooleanDataViewType.Instance, false));
        if (sources.Any(s => s.Kind == SchemaShape.Column.VectorKind.Scalar || s.HasSlotNames()))
            annotations.Add(new(AnnotationUtils.Kinds.SlotNames, SchemaShape.Column.VectorKind.Vector, TextDataViewType.Instance, false));
        return inputSchema.With(new SchemaShape.Column(
            _name,
            variable ? SchemaShape.Column.VectorKind.VariableVector : SchemaShape.Column.VectorKind.Vector,
            sources[0].ItemType,
            false,
            new SchemaShape(annotations)));

        SchemaShape.Column Find(string name) =>
            inputSchema.TryFindColumn(name, out SchemaShape.Column column)
                ? column
                : throw _host.ExceptSchemaMismatch(nameof(inputSchema), "input", name);
    }
}
