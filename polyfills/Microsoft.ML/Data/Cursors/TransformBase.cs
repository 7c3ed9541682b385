using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>A data view over another one.</summary>
internal abstract class TransformBase : IDataView
{
    protected readonly IHost Host;

    protected TransformBase(IHostEnvironment env, string name, IDataView input)
    {
        Contracts.CheckValue(env, nameof(env));
        env.CheckValue(input, nameof(input));
        Host = env.Register(name);
        Source = input;
    }

    public IDataView Source { get; }

    public virtual bool CanShuffle => Source.CanShuffle;

    public abstract DataViewSchema Schema { get; }

    public abstract long? GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random rand = null)
    {
        Func<int, bool> predicate = RowCursorUtils.FromColumnsToPredicate(columnsNeeded, Schema);
        Random random = CanShuffle ? rand : null;
        // Unless told not to, rows are computed on several threads, ahead of the reader.
        return ShouldUseParallelCursors(predicate) != false && ParallelCursors.AllCacheable(columnsNeeded)
            ? ParallelCursors.Consolidate(Host, GetRowCursorSet(columnsNeeded, ParallelCursors.ThreadCount, random))
            : GetRowCursorCore(columnsNeeded, random);
    }

    public abstract DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random rand = null);

    /// <summary>Whether to compute on several threads; null leaves it to the source.</summary>
    protected abstract bool? ShouldUseParallelCursors(Func<int, bool> predicate);

    protected abstract DataViewRowCursor GetRowCursorCore(IEnumerable<DataViewSchema.Column> columnsNeeded, Random rand);
}
