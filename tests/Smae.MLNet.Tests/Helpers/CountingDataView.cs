namespace Smae.MLNet.Tests;

/// <summary>Counts what is read of a data view.</summary>
internal sealed class CountingDataView(IDataView source) : IDataView
{
    private int _rows;

    /// <summary>Rows that cursors have moved to.</summary>
    public int Rows => _rows;

    /// <summary>The columns that the last cursor was opened for.</summary>
    public List<string> Columns { get; private set; } = [];

    public DataViewSchema Schema => source.Schema;

    public bool CanShuffle => source.CanShuffle;

    public long? GetRowCount() => source.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        Columns = [.. columnsNeeded.Select(column => column.Name)];
        return new Cursor(this, source.GetRowCursor(columnsNeeded, rand));
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
        [GetRowCursor(columnsNeeded, rand)];

    private sealed class Cursor(CountingDataView view, DataViewRowCursor cursor) : DataViewRowCursor
    {
        public override DataViewSchema Schema => cursor.Schema;

        public override long Position => cursor.Position;

        // Not what it is below, so that a test can see it pass through.
        public override long Batch => cursor.Position / 3;

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) => cursor.GetGetter<TValue>(column);

        public override ValueGetter<DataViewRowId> GetIdGetter() => cursor.GetIdGetter();

        public override bool IsColumnActive(DataViewSchema.Column column) => cursor.IsColumnActive(column);

        public override bool MoveNext()
        {
            if (!cursor.MoveNext())
                return false;
            Interlocked.Increment(ref view._rows);
            return true;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                cursor.Dispose();
            base.Dispose(disposing);
        }
    }
}
