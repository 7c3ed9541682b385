using Microsoft.ML;

namespace Smae.MLNet;

/// <summary>A data view without rows that cannot be read: what ML.NET wants where only a schema matters.</summary>
internal sealed class SchemaOnlyView(DataViewSchema schema) : IDataView
{
    public DataViewSchema Schema => schema;

    public bool CanShuffle => false;

    public long? GetRowCount() => 0;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) =>
        throw new NotSupportedException("This data view holds a schema only.");

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
        throw new NotSupportedException("This data view holds a schema only.");
}
