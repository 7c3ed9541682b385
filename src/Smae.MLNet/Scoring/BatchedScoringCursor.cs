using Microsoft.ML;
using Microsoft.ML.Data;

namespace Smae.MLNet;

/// <summary>
/// Reads a batch of rows, keeps the other columns' values, decodes and scores the images together, then serves the rows. While a batch is
/// scored and served, the next one is read and decoded on other cores. What goes wrong with a row is thrown when the reader comes to it,
/// not before.
/// </summary>
internal sealed class BatchedScoringCursor : DataViewRowCursor
{
    // The first batches are small: a reader that wants a few rows shall not wait for many.
    private const int FirstRows = 4, Growth = 4;

    private readonly DataViewRowCursor _source;
    private readonly ScoringMapper _mapper;
    private readonly bool[] _active;
    private readonly RowBuffer _rows;
    private readonly BrokenImageReport _broken;
    private readonly CancellationTokenSource _stop = new();
    private RowBatch _current;
    private RowBatch _next;
    private Task? _reading;
    private int _size;
    private int _index = -1;
    private bool _done;
    private long _served;

    /// <param name="source">The cursor below, which this one owns.</param>
    /// <param name="mapper">The mapper that <paramref name="source"/>'s schema belongs to.</param>
    /// <param name="active">The active columns of the mapper's output, one of the scorer's among them.</param>
    public BatchedScoringCursor(DataViewRowCursor source, ScoringMapper mapper, bool[] active)
    {
        _source = source;
        _mapper = mapper;
        _active = active;
        _broken = mapper.Scorer.CreateReport();
        int most = mapper.Scorer.BatchSize;
        _rows = new RowBuffer(source, mapper.InputSchema.Where(column => active[column.Index]), 2 * most);
        // One reader for both batches: ML.NET's loaders dispose the image before when they make the next.
        var reader = mapper.CreateReader(source);
        _current = new RowBatch(mapper.CreateBatch(reader, most), _rows, 0);
        _next = new RowBatch(mapper.CreateBatch(reader, most), _rows, most);
    }

    public override DataViewSchema Schema => _mapper.OutputSchema;

    public override long Position => _index < 0 ? -1 : _rows.Position(Slot());

    public override long Batch => _index < 0 ? 0 : _rows.Batch(Slot());

    public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId value) => value = _rows.Id(Slot());

    public override bool IsColumnActive(DataViewSchema.Column column) => _active[column.Index];

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        ColumnAccess.CheckActive(this, column);
        return _mapper.OutputAt(column.Index) is { } output
            ? output.Getter<TValue>(column, () => _current.Scores(Index()))
            : _rows.Getter<TValue>(column, Slot);
    }

    public override bool MoveNext()
    {
        if (_done)
            return false;
        if (++_index >= _current.Count)
        {
            _index = -1;
            _done = true; // Unless there are rows; so it stays where something is thrown.
            if (!Advance())
                return false;
            _done = false;
            _index = 0;
        }
        _served++;
        if (_current.Problem(_index) is { } problem)
            _broken.Add(problem);
        return true;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _stop.Cancel();
            _reading?.Wait(); // A cursor in use cannot be disposed.
            _broken.Summarise(_served);
            _source.Dispose();
            _stop.Dispose();
        }
        base.Dispose(disposing);
    }

    /// <summary>Makes the next batch the current one.</summary>
    /// <returns>Whether it has rows.</returns>
    private bool Advance()
    {
        _current.Failure?.Throw();
        if (_current.IsLast)
            return false;
        bool first = _size == 0;
        if (_reading is null)
            Read(_next);
        else
            _reading.Wait();
        (_current, _next) = (_next, _current);
        // Not yet with the first batch: its reader may want no more.
        var ahead = _next;
        _reading = first || _current.IsLast ? null : Task.Run(() => Read(ahead));
        if (_current.Count == 0)
        {
            _current.Failure?.Throw();
            return false;
        }
        _current.Score();
        return true;
    }

    private void Read(RowBatch batch)
    {
        _size = Math.Min(_size == 0 ? FirstRows : _size * Growth, _mapper.Scorer.BatchSize);
        batch.Read(_source, _size, _stop.Token);
    }

    private int Index() => _index >= 0
        ? _index
        : throw new InvalidOperationException("There is no current row: MoveNext has not been called, or has returned false.");

    private int Slot() => _current.Slot(Index());
}
