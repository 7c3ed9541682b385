using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms;

/// <summary>Gives values their keys; values that it does not know are missing.</summary>
[LoadableModel(LoaderSignature)]
public sealed class ValueToKeyMappingTransformer : OneToOneTransformerBase
{
    private const string LoaderSignature = "TermTransform";
    private const string RegistrationName = "Term";

    private readonly TermMap[] _maps;
    private readonly bool _annotationsAsText;

    private ValueToKeyMappingTransformer(
        IHost host, (string outputColumnName, string inputColumnName)[] columns, TermMap[] maps, bool annotationsAsText)
        : base(host, columns)
    {
        _maps = maps;
        _annotationsAsText = annotationsAsText;
    }

    private ValueToKeyMappingTransformer(IHost host, ModelLoadContext ctx)
        : base(host, ctx)
    {
        _annotationsAsText = ctx.Reader.ReadBoolean();
        _maps = [.. ColumnPairs.Select(_ => TermMap.Load(ctx))];
    }

    internal static ValueToKeyMappingTransformer Train(
        IHostEnvironment env, IDataView input, (string outputColumnName, string inputColumnName)[] columns, KeyMappingOptions options)
    {
        IHost host = env.Register(RegistrationName);
        using IChannel ch = host.Start("Training");
        DataViewSchema.Column[] sources = [.. columns.Select(c => SourceOf(host, nameof(input), input.Schema, c.inputColumnName))];
        TermMap[] maps = options.KeyData == null ? Collect(ch, input, columns, sources, options) : FromKeyData(ch, sources, options);
        return new ValueToKeyMappingTransformer(host, columns, maps, options.AnnotationsAsText);
    }

    private protected override void CheckInputColumn(DataViewSchema inputSchema, int col, int srcCol)
    {
        DataViewType itemType = SourceOf(Host, nameof(inputSchema), inputSchema, ColumnPairs[col].inputColumnName).Type.GetItemType();
        if (!itemType.Equals(_maps[col].ItemType))
        {
            throw Host.Except(
                $"The keys of column '{ColumnPairs[col].outputColumnName}' are of values of type '{_maps[col].ItemType}', not of '{itemType}'");
        }
    }

    private protected override void SaveModel(ModelSaveContext ctx)
    {
        ctx.CheckAtModel();
        ctx.SetVersionInfo(LoaderSignature);
        SaveColumns(ctx);
        ctx.Writer.Write(_annotationsAsText);
        foreach (TermMap map in _maps)
            map.Save(ctx);
    }

    private protected override IRowMapper MakeRowMapper(DataViewSchema schema) => new Mapper(this, schema);

    private static ValueToKeyMappingTransformer Create(IHostEnvironment env, ModelLoadContext ctx) => new(env.Register(RegistrationName), ctx);

    private static DataViewSchema.Column SourceOf(IHost host, string param, DataViewSchema schema, string name)
    {
        DataViewSchema.Column column = schema.GetColumnOrNull(name) ?? throw host.ExceptSchemaMismatch(param, "input", name);
        DataViewType itemType = column.Type.GetItemType();
        return itemType is KeyDataViewType || itemType.IsStandardScalar()
            ? column
            : throw host.ExceptSchemaMismatch(param, "input", name, "standard type or a vector of standard type", column.Type.ToString());
    }

    private static TermMap[] Collect(
        IChannel ch, IDataView input, (string outputColumnName, string inputColumnName)[] columns, DataViewSchema.Column[] sources,
        KeyMappingOptions options)
    {
        ch.CheckUserArg(options.MaximumNumberOfKeys > 0, "MaxNumTerms", "Must be positive");
        using DataViewRowCursor cursor = input.GetRowCursor(sources);
        bool sort = options.Order == ValueToKeyMappingEstimator.KeyOrdinality.ByValue;
        TermCollector[] collectors = [.. sources.Select(s => TermCollector.Create(cursor, s, options.MaximumNumberOfKeys, sort))];
        List<TermCollector> open = [.. collectors];
        while (open.Count > 0 && cursor.MoveNext())
            open.RemoveAll(c => !c.AddRow());
        for (int i = 0; i < collectors.Length; i++)
        {
            if (collectors[i].Count == 0)
                ch.Warning("There are no values for the keys of column '{0}'.", columns[i].outputColumnName);
        }

        return [.. collectors.Select(c => c.Finish())];
    }

    private static TermMap[] FromKeyData(IChannel ch, DataViewSchema.Column[] sources, KeyMappingOptions options)
    {
        DataViewSchema.Column keys = options.KeyData.Schema[0];
        DataViewType wanted = sources[0].Type.GetItemType();
        if (!keys.Type.Equals(wanted))
            throw ch.ExceptUserArg("keyData", $"The values of the keys must be of type '{wanted}', not '{keys.Type}'");
        foreach (DataViewSchema.Column source in sources)
        {
            if (!source.Type.GetItemType().Equals(wanted))
                throw ch.ExceptParam("keyData", $"The keys are of values of type '{wanted}', but column '{source.Name}' is of '{source.Type}'");
        }

        using DataViewRowCursor cursor = options.KeyData.GetRowCursor([keys]);
        bool sort = options.Order == ValueToKeyMappingEstimator.KeyOrdinality.ByValue;
        TermCollector collector = TermCollector.Create(cursor, keys, int.MaxValue, sort);
        while (cursor.MoveNext())
            collector.AddRow();
        if (collector.Count == 0)
            ch.Warning("There are no values in the data of the keys.");
        TermMap map = collector.Finish();
        return [.. sources.Select(_ => map)];
    }

    private sealed class Mapper(ValueToKeyMappingTransformer parent, DataViewSchema inputSchema)
        : OneToOneMapperBase(parent.Host.Register(nameof(Mapper)), parent, inputSchema)
    {
        protected override DataViewSchema.DetachedColumn[] GetOutputColumnsCore() =>
            [.. parent.ColumnPairs.Select((pair, i) => Keys(pair.outputColumnName, InputSchema[ColMapNewToOld[i]], parent._maps[i]))];

        protected override Delegate MakeGetter(DataViewRow input, int iinfo, Func<int, bool> activeOutput, out Action disposer)
        {
            disposer = null;
            return parent._maps[iinfo].CreateGetter(input, ColMapNewToOld[iinfo]);
        }

        private DataViewSchema.DetachedColumn Keys(string name, DataViewSchema.Column source, TermMap map)
        {
            var annotations = new DataViewSchema.Annotations.Builder();
            map.AddKeyValues(annotations, source, parent._annotationsAsText);
            annotations.Add(source.Annotations, kind => kind == AnnotationUtils.Kinds.SlotNames);
            DataViewType type = source.Type is VectorDataViewType vector ? new VectorDataViewType(map.OutputType, vector.Dimensions) : map.OutputType;
            return new(name, type, annotations.ToAnnotations());
        }
    }
}
