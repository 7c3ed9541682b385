using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms;

/// <summary>Copies columns under new names.</summary>
[LoadableModel(LoaderSignature)]
public sealed class ColumnCopyingTransformer : OneToOneTransformerBase
{
    private const string LoaderSignature = "CopyTransform";

    internal ColumnCopyingTransformer(IHostEnvironment env, params (string outputColumnName, string inputColumnName)[] columns)
        : base(Contracts.CheckRef(env, nameof(env)).Register(nameof(ColumnCopyingTransformer)), columns)
    {
    }

    private ColumnCopyingTransformer(IHost host, ModelLoadContext ctx)
        : base(host, ctx)
    {
    }

    private protected override void SaveModel(ModelSaveContext ctx)
    {
        ctx.SetVersionInfo(LoaderSignature);
        SaveColumns(ctx);
    }

    private protected override IRowMapper MakeRowMapper(DataViewSchema schema) => new Mapper(this, schema);

    private static ColumnCopyingTransformer Create(IHostEnvironment env, ModelLoadContext ctx) =>
        new(env.Register(nameof(ColumnCopyingTransformer)), ctx);

    private sealed class Mapper(ColumnCopyingTransformer parent, DataViewSchema inputSchema)
        : OneToOneMapperBase(parent.Host.Register(nameof(Mapper)), parent, inputSchema)
    {
        protected override DataViewSchema.DetachedColumn[] GetOutputColumnsCore() =>
            [.. parent.ColumnPairs.Select((pair, i) => (pair.outputColumnName, Source: InputSchema[ColMapNewToOld[i]]))
                .Select(c => new DataViewSchema.DetachedColumn(c.outputColumnName, c.Source.Type, c.Source.Annotations))];

        protected override Delegate MakeGetter(DataViewRow input, int iinfo, Func<int, bool> activeOutput, out Action disposer)
        {
            disposer = null;
            return RowCursorUtils.GetGetterAsDelegate(input, ColMapNewToOld[iinfo]);
        }
    }
}
