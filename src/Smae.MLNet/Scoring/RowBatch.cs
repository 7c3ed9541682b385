using System.Runtime.ExceptionServices;
using Microsoft.ML;

namespace Smae.MLNet;

/// <summary>Consecutive rows, read together.</summary>
/// <param name="images">Their images.</param>
/// <param name="rows">Where their other values are kept.</param>
/// <param name="start">The place of the first row in <paramref name="rows"/>.</param>
internal sealed class RowBatch(ScoredBatch images, RowBuffer rows, int start)
{
    /// <summary>Rows in the batch.</summary>
    public int Count => images.Images.Count;

    /// <summary>Whether no rows follow.</summary>
    public bool IsLast { get; private set; }

    /// <summary>What went wrong after the rows of this batch, to be thrown where the next row would be.</summary>
    public ExceptionDispatchInfo? Failure { get; private set; }

    /// <summary>Reads and decodes. Throws nothing: see <see cref="Failure"/>.</summary>
    /// <param name="source">Where the rows come from.</param>
    /// <param name="count">The most rows to read.</param>
    /// <param name="stop">Ends the work; what the batch then holds has no meaning.</param>
    public void Read(DataViewRowCursor source, int count, CancellationToken stop)
    {
        var batch = images.Images;
        batch.Clear();
        IsLast = true;
        try
        {
            while (batch.Count < count && !stop.IsCancellationRequested && source.MoveNext())
            {
                rows.Take(start + batch.Count);
                batch.Take(); // Last, for it counts the row.
            }
            IsLast = batch.Count < count;
        }
        catch (Exception exception)
        {
            Failure = ExceptionDispatchInfo.Capture(exception);
        }
        try
        {
            batch.Decode(stop);
        }
        catch (Exception exception)
        {
            batch.Clear(); // Which of the images are good is not known.
            IsLast = true;
            Failure = ExceptionDispatchInfo.Capture(exception);
        }
    }

    /// <summary>Runs the model on the images.</summary>
    public void Score() => images.Score();

    /// <summary>Where row number <paramref name="index"/> stands in the buffer.</summary>
    public int Slot(int index) => start + index;

    /// <summary>The model's numbers for row number <paramref name="index"/>.</summary>
    public ReadOnlySpan<float> Scores(int index) => images.Scores(index);

    /// <summary>What is wrong with the image of row number <paramref name="index"/>; null for a good one.</summary>
    public InvalidDataException? Problem(int index) => images.Images.Problem(index);
}
