using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML;

/// <summary>Makes data views, and changes which rows they have.</summary>
public sealed partial class DataOperationsCatalog : IInternalCatalog
{
    private readonly IHostEnvironment _env;

    internal DataOperationsCatalog(IHostEnvironment env) => _env = env;

    IHostEnvironment IInternalCatalog.Environment => _env;

    public IDataView LoadFromEnumerable<TRow>(IEnumerable<TRow> data, SchemaDefinition schemaDefinition = null)
        where TRow : class
    {
        _env.CheckValue(data, nameof(data));
        MemberColumn[] columns = schemaDefinition == null
            ? MemberColumn.Create(typeof(TRow), SchemaDefinition.Direction.Read)
            : MemberColumn.Create(typeof(TRow), schemaDefinition);
        return new StreamingDataView<TRow>(_env, data, columns);
    }

    public IDataView LoadFromEnumerable<TRow>(IEnumerable<TRow> data, DataViewSchema schema)
        where TRow : class
    {
        _env.CheckValue(data, nameof(data));
        _env.CheckValue(schema, nameof(schema));
        SchemaDefinition definition = MemberColumn.DefinitionOf<TRow>(_env, schema);
        return new StreamingDataView<TRow>(_env, data, MemberColumn.Create(typeof(TRow), definition));
    }

    public IEnumerable<TRow> CreateEnumerable<TRow>(
        IDataView data, bool reuseRowObject, bool ignoreMissingColumns = false, SchemaDefinition schemaDefinition = null)
        where TRow : class, new()
    {
        _env.CheckValue(data, nameof(data));
        var filler = new RowFiller<TRow>(_env, data.Schema, ignoreMissingColumns, schemaDefinition);
        return Enumerate(data, filler, reuseRowObject);
    }

    public IDataView Cache(IDataView input, params string[] columnsToPrefetch)
    {
        _env.CheckValue(input, nameof(input));
        foreach (string name in columnsToPrefetch ?? [])
        {
            if (input.Schema.GetColumnOrNull(name) == null)
                throw _env.ExceptSchemaMismatch(nameof(columnsToPrefetch), "prefetch", name);
        }

        return new CacheDataView(_env, input, columnsToPrefetch);
    }

    private static IEnumerable<TRow> Enumerate<TRow>(IDataView data, RowFiller<TRow> filler, bool reuseRowObject)
        where TRow : class, new()
    {
        using DataViewRowCursor cursor = data.GetRowCursor(data.Schema.Where(c => filler.Needs(c.Index)));
        Action<TRow> fill = filler.CreateFill(cursor);
        TRow row = null;
        while (cursor.MoveNext())
        {
            if (!reuseRowObject || row == null)
                row = new TRow();
            fill(row);
            yield return row;
        }
    }
}
