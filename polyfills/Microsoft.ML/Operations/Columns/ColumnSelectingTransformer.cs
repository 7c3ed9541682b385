using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms;

/// <summary>Keeps columns, or drops them.</summary>
[LoadableModel(LoaderSignature)]
public sealed class ColumnSelectingTransformer : ITransformer
{
    private const string LoaderSignature = "SelectColumnsTransform";

    private readonly IHost _host;
    private readonly string[] _names;
    private readonly bool _keepHidden;

    internal ColumnSelectingTransformer(IHostEnvironment env, string[] keepColumns, string[] dropColumns, bool keepHidden = false)
    {
        _host = Contracts.CheckRef(env, nameof(env)).Register(nameof(ColumnSelectingTransformer));
        bool keep = keepColumns is { Length: > 0 };
        bool drop = dropColumns is { Length: > 0 };
        _host.Check(keep != drop, $"Exactly one of {nameof(keepColumns)} and {nameof(dropColumns)} must be specified.");
        Keep = keep;
        _names = keep ? keepColumns : dropColumns;
        _keepHidden = keepHidden;
    }

    bool ITransformer.IsRowToRowMapper => true;

    internal bool Keep { get; }

    internal IReadOnlyList<string> Names => _names;

    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        _host.CheckValue(inputSchema, nameof(inputSchema));
        return ColumnSubset.SchemaOf(inputSchema, MapOf(inputSchema, nameof(inputSchema)));
    }

    public IDataView Transform(IDataView input)
    {
        _host.CheckValue(input, nameof(input));
        return new ColumnSubset(_host, "SelectColumnsDataTransform", input, MapOf(input.Schema, nameof(input)));
    }

    IRowToRowMapper ITransformer.GetRowToRowMapper(DataViewSchema inputSchema)
    {
        _host.CheckValue(inputSchema, nameof(inputSchema));
        return new ColumnSubset(_host, "SelectColumnsDataTransform", new EmptyDataView(_host, inputSchema), MapOf(inputSchema, nameof(inputSchema)));
    }

    void ICanSaveModel.Save(ModelSaveContext ctx)
    {
        ctx.SetVersionInfo(LoaderSignature);
        ctx.Writer.Write(Keep);
        ctx.Writer.Write(_keepHidden);
        ctx.Writer.Write(_names.Length);
        foreach (string name in _names)
            ctx.SaveString(name);
    }

    internal static IDataView CreateDrop(IHostEnvironment env, IDataView input, params string[] dropColumns) =>
        new ColumnSelectingTransformer(env, null, dropColumns).Transform(input);

    private static ColumnSelectingTransformer Create(IHostEnvironment env, ModelLoadContext ctx)
    {
        bool keep = ctx.Reader.ReadBoolean();
        bool keepHidden = ctx.Reader.ReadBoolean();
        var names = new string[ctx.Reader.ReadInt32()];
        for (int i = 0; i < names.Length; i++)
            names[i] = ctx.LoadString();
        return new ColumnSelectingTransformer(env, keep ? names : null, keep ? null : names, keepHidden);
    }

    private int[] MapOf(DataViewSchema schema, string paramName)
    {
        string[] missing = [.. _names.Where(name => schema.GetColumnOrNull(name) == null)];
        if (missing.Length > 0)
            throw _host.ExceptSchemaMismatch(paramName, "input", string.Join(",", missing));
        // What is kept comes in the order asked for; what is left after a drop, hidden columns too, stays as it was.
        return Keep
            ? [.. _names.SelectMany(name => schema.Where(c => c.Name == name && (_keepHidden || !c.IsHidden))).Select(c => c.Index)]
            : [.. schema.Where(c => !_names.Contains(c.Name)).Select(c => c.Index)];
    }
}
