using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>Rows on their way from one thread to another, or the end of them, or why there are no more.</summary>
internal sealed record RowBatch(long Id, int Count, Array[] Columns, Exception Error)
{
    public static RowBatch End { get; } = new(long.MaxValue, 0, null, null);

    public bool IsEnd => Count == 0;

    // A failure comes out before any rows that are still waiting.
    public static RowBatch Failure(Exception ex) => new(long.MinValue, 0, null, ex);

    public void ThrowIfFailed()
    {
        if (Error != null)
            throw Contracts.Except(null, Error, "Splitter/consolidator worker encountered exception while consuming source data");
    }
}
