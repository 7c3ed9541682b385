using Microsoft.ML;
using Microsoft.ML.Data;

namespace Smae.MLNet;

/// <summary>
/// Goes with the cursor below row by row: for readers that want no score, and for those that want values which cannot be held back
/// while the cursor below goes on, such as images.
/// </summary>
internal sealed class RowScoringCursor(DataViewRowCursor source, ScoringMapper mapper, bool[] active) : DataViewRowCursor
{
    private readonly ScoringRow _row = new(source, mapper, active);

    public override DataViewSchema Schema => _row.Schema;

    public override long Position => _row.Position;

    public override long Batch => _row.Batch;

    public override ValueGetter<DataViewRowId> GetIdGetter() => _row.GetIdGetter();

    public override bool IsColumnActive(DataViewSchema.Column column) => _row.IsColumnActive(column);

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) => _row.GetGetter<TValue>(column);

    public override bool MoveNext()
    {
        if (!source.MoveNext())
            return false;
        // Before the reader gets at the row: reading the image a second time may dispose the one that the reader holds.
        _row.Score();
        return true;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _row.Dispose();
        base.Dispose(disposing);
    }
}
