using Microsoft.ML;
using Microsoft.ML.Data;

namespace Smae.MLNet;

/// <summary>A data view with columns that a model makes of its images as they are read.</summary>
internal sealed class ScoringDataView(IDataView source, ScoringMapper mapper) : IDataView
{
    public DataViewSchema Schema => mapper.OutputSchema;

    public bool CanShuffle => source.CanShuffle;

    public long? GetRowCount() => source.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        bool[] active = mapper.ActiveColumns(columnsNeeded);
        return Wrap(source.GetRowCursor(mapper.GetDependencies(columnsNeeded), rand), active);
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
    {
        bool[] active = mapper.ActiveColumns(columnsNeeded);
        // One cursor that scores in batches keeps all cores busy by itself; several would only make them compete.
        if (mapper.Scores(active))
            return [GetRowCursor(columnsNeeded, rand)];
        return Array.ConvertAll(source.GetRowCursorSet(mapper.GetDependencies(columnsNeeded), n, rand), cursor => Wrap(cursor, active));
    }

    private DataViewRowCursor Wrap(DataViewRowCursor cursor, bool[] active) =>
        mapper.Scores(active) && mapper.InputSchema.All(column => !active[column.Index] || ColumnBuffer.CanHold(column.Type))
            ? new BatchedScoringCursor(cursor, mapper, active)
            : new RowScoringCursor(cursor, mapper, active);
}
