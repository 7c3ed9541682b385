using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms;

/// <summary>Brings numbers to a common scale.</summary>
[LoadableModel(LoaderSignature)]
public sealed partial class NormalizingTransformer : OneToOneTransformerBase
{
    private const string LoaderSignature = "Normalizer";

    private readonly AffineFunction[] _functions;

    private NormalizingTransformer(
        IHostEnvironment env, (string outputColumnName, string inputColumnName)[] columns, AffineFunction[] functions)
        : base(env.Register(nameof(NormalizingTransformer)), columns) => _functions = functions;

    private NormalizingTransformer(IHost host, ModelLoadContext ctx)
        : base(host, ctx) => _functions = [.. ColumnPairs.Select(_ => AffineFunction.Load(ctx))];

    public NormalizerModelParametersBase GetNormalizerModelParameters(int index)
    {
        bool known = index >= 0 && index < _functions.Length;
        Host.CheckUserArg(known, nameof(index), $"There are {_functions.Length} columns, and {index} is none of them.");
        return _functions[index].Parameters;
    }

    internal static NormalizingTransformer Train(
        IHostEnvironment env, IDataView data, Normalization normalization, (string outputColumnName, string inputColumnName)[] columns)
    {
        DataViewSchema.Column[] sources = [.. columns.Select(c => data.Schema.GetColumnOrNull(c.inputColumnName)
            ?? throw env.ExceptSchemaMismatch(nameof(data), "input", c.inputColumnName))];
        using DataViewRowCursor cursor = data.GetRowCursor(sources);
        (Action AddRow, Func<AffineFunction> Finish)[] training =
            [.. sources.Select((s, i) => AffineFunction.Train(normalization, env.Register($"Column_{i:000}"), cursor, s.Index))];
        for (long rows = 0; rows < normalization.MaximumExampleCount && cursor.MoveNext(); rows++)
        {
            foreach ((Action addRow, _) in training)
                addRow();
        }

        return new NormalizingTransformer(env, columns, [.. training.Select(t => t.Finish())]);
    }

    private protected override void CheckInputColumn(DataViewSchema inputSchema, int col, int srcCol)
    {
        const string Expected = "scalar or known-size vector of Single";
        DataViewType type = inputSchema[srcCol].Type;
        if (type is VectorDataViewType { IsKnownSize: false })
            throw Host.ExceptSchemaMismatch(nameof(inputSchema), "input", ColumnPairs[col].inputColumnName, Expected, "variable-size vector");
        if (type.GetItemType() != NumberDataViewType.Single && type.GetItemType() != NumberDataViewType.Double)
            throw Host.ExceptSchemaMismatch(nameof(inputSchema), "input", ColumnPairs[col].inputColumnName, Expected, type.ToString());
    }

    private protected override void SaveModel(ModelSaveContext ctx)
    {
        ctx.CheckAtModel();
        ctx.SetVersionInfo(LoaderSignature);
        SaveColumns(ctx);
        foreach (AffineFunction function in _functions)
            function.Save(ctx);
    }

    private protected override IRowMapper MakeRowMapper(DataViewSchema schema) => new Mapper(this, schema);

    private static NormalizingTransformer Create(IHostEnvironment env, ModelLoadContext ctx) =>
        new(env.Register(nameof(NormalizingTransformer)), ctx);

    private sealed class Mapper(NormalizingTransformer parent, DataViewSchema inputSchema)
        : OneToOneMapperBase(parent.Host.Register(nameof(Mapper)), parent, inputSchema)
    {
        protected override DataViewSchema.DetachedColumn[] GetOutputColumnsCore() =>
            [.. parent.ColumnPairs.Select((pair, i) => Normalized(pair.outputColumnName, InputSchema[ColMapNewToOld[i]]))];

        protected override Delegate MakeGetter(DataViewRow input, int iinfo, Func<int, bool> activeOutput, out Action disposer)
        {
            disposer = null;
            return parent._functions[iinfo].CreateGetter(input, ColMapNewToOld[iinfo]);
        }

        private static DataViewSchema.DetachedColumn Normalized(string name, DataViewSchema.Column source)
        {
            var annotations = new DataViewSchema.Annotations.Builder();
            annotations.AddPrimitiveValue(AnnotationUtils.Kinds.IsNormalized, BooleanDataViewType.Instance, true);
            annotations.Add(source.Annotations, kind => kind == AnnotationUtils.Kinds.SlotNames);
            return new(name, source.Type, annotations.ToAnnotations());
        }
    }
}
