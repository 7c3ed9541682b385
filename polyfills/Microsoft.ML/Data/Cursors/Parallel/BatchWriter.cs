namespace Microsoft.ML.Data;

/// <summary>Collects rows into batches.</summary>
internal sealed class BatchWriter(ColumnWriter[] columns)
{
    public int Count { get; private set; }

    public void AddRow()
    {
        foreach (ColumnWriter column in columns)
            column.Write(Count);
        Count++;
    }

    public RowBatch Detach(long id)
    {
        var batch = new RowBatch(id, Count, [.. columns.Select(c => c.Detach())], null);
        Count = 0;
        return batch;
    }
}
