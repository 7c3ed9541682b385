using System.Runtime.ExceptionServices;

namespace Smae.MLNet;

/// <summary>Goes over rows with the columns that a model makes of their images: row by row, or in batches.</summary>
/// <param name="source">The row or cursor below, which this one owns.</param>
internal abstract class ScoringCursor(DataViewRow source, ImageMapper mapper, bool[] active) : DataViewRowCursor
{
    private readonly BrokenImageReport _broken = mapper.Scoring.CreateReport();
    private long _scored;
    private bool _disposed;

    public override DataViewSchema Schema => mapper.OutputSchema;

    protected ImageMapper Mapper => mapper;

    public override bool IsColumnActive(DataViewSchema.Column column) => active.IsActive(column);

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        active.Require(column);
        Delegate getter = mapper.OutputAt(column.Index) is { } output ? output.Getter(Scores, Problem) : InputGetter<TValue>(column);
        return getter.As<TValue>(column);
    }

    protected abstract Delegate InputGetter<TValue>(DataViewSchema.Column column);

    /// <summary>The numbers that the model gave for the current row.</summary>
    protected abstract ReadOnlySpan<float> Scores();

    /// <summary>What is wrong with the current row's image; null for a good one.</summary>
    protected abstract InvalidDataException? Problem();

    /// <summary>Takes note of a row that is handed out with its scores.</summary>
    /// <param name="problem">What is wrong with its image; null for a good one.</param>
    /// <exception cref="InvalidDataException">The image is broken and that is to be an error.</exception>
    protected void Count(InvalidDataException? problem)
    {
        _scored++;
        if (problem is not null) _broken.Add(problem);
    }

    /// <summary>Ends what is under way, once: no row follows.</summary>
    protected virtual void End()
    {
    }

    protected sealed override void Dispose(bool disposing)
    {
        if (disposing && !_disposed)
        {
            _disposed = true;
            End();
            _broken.Summarise(_scored);
            source.Dispose();
        }
        base.Dispose(disposing);
    }
}

/// <summary>
/// Goes with the row or cursor below row by row: for a single row, for readers that want no score, and for those that want values which cannot be held back
/// while the cursor below goes on, such as images. A row is scored once for each position, when its scores are first asked for.
/// </summary>
internal sealed class RowCursor : ScoringCursor
{
    private readonly DataViewRow _source;
    private readonly ImageBatch? _batch;
    private long _position = long.MinValue;

    public RowCursor(DataViewRow source, ImageMapper mapper, bool[] active) : base(source, mapper, active)
    {
        _source = source;
        if (mapper.Scores(active)) _batch = new ImageBatch(mapper.Scoring.Decoders, mapper.CreateReader(source), capacity: 1);
    }

    public override long Position => _source.Position;

    public override long Batch => _source.Batch;

    public override ValueGetter<DataViewRowId> GetIdGetter() => _source.GetIdGetter();

    public override bool MoveNext()
    {
        if (!((DataViewRowCursor)_source).MoveNext()) return false;
        // Before the reader gets at the row: reading the image a second time may dispose the one that the reader holds.
        Score();
        return true;
    }

    protected override Delegate InputGetter<TValue>(DataViewSchema.Column column) => _source.GetGetter<TValue>(Mapper.InputSchema[column.Index]);

    protected override ReadOnlySpan<float> Scores()
    {
        Score();
        return _batch!.Scores(0);
    }

    protected override InvalidDataException? Problem()
    {
        Score();
        return _batch!.Problem(0);
    }

    private void Score()
    {
        if (_batch is null || _position == Position) return;
        _batch.Clear();
        _batch.Take();
        _batch.Decode();
        _batch.Score(Mapper.Scoring.Model);
        Count(_batch.Problem(0));
        _position = Position;
    }
}

/// <summary>
/// Reads a batch of rows, keeps the other columns' values, decodes and scores the images together, then serves the rows. While a batch is scored and served,
/// the next one is read and decoded on other cores. What goes wrong with a row is thrown when the reader comes to it, not before.
/// </summary>
internal sealed class BatchCursor : ScoringCursor
{
    // The first batches are small: a reader that wants a few rows shall not wait for many.
    private const int FirstRows = 4, Growth = 4;

    private readonly DataViewRowCursor _source;
    private readonly RowBuffer _rows;
    private readonly CancellationTokenSource _stop = new();
    private RowBatch _current, _next;
    private Task? _reading;
    private int _size, _index = -1;
    private bool _done;

    public BatchCursor(DataViewRowCursor source, ImageMapper mapper, bool[] active) : base(source, mapper, active)
    {
        _source = source;
        int most = mapper.Scoring.BatchSize;
        _rows = new RowBuffer(source, mapper.InputSchema.Where(column => active[column.Index]), 2 * most);
        // One reader for both batches: ML.NET's loaders dispose the image before when they make the next.
        var reader = mapper.CreateReader(source);
        RowBatch At(int start) => new(new ImageBatch(mapper.Scoring.Decoders, reader, most), _rows, start);
        (_current, _next) = (At(0), At(most));
    }

    public override long Position => _index < 0 ? -1 : _rows[Slot()].Position;

    public override long Batch => _index < 0 ? 0 : _rows[Slot()].Batch;

    public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId value) => value = _rows[Slot()].Id;

    public override bool MoveNext()
    {
        if (_done) return false;
        if (++_index >= _current.Images.Count)
        {
            _index = -1;
            _done = true; // Unless there are rows; so it stays where something is thrown.
            if (!Advance()) return false;
            (_done, _index) = (false, 0);
        }
        Count(_current.Images.Problem(_index));
        return true;
    }

    protected override Delegate InputGetter<TValue>(DataViewSchema.Column column) => _rows.Getter(column, Slot);

    protected override ReadOnlySpan<float> Scores() => _current.Images.Scores(Index());

    protected override InvalidDataException? Problem() => _current.Images.Problem(Index());

    protected override void End()
    {
        (_done, _index) = (true, -1);
        _stop.Cancel();
        _reading?.Wait(); // A cursor in use cannot be disposed.
        _stop.Dispose();
    }

    /// <summary>Makes the next batch the current one.</summary>
    /// <returns>Whether it has rows.</returns>
    private bool Advance()
    {
        _current.Failure?.Throw();
        if (_current.IsLast) return false;
        bool first = _size == 0;
        if (_reading is null) Read(_next);
        else _reading.Wait();
        (_current, _next) = (_next, _current);
        // Not yet with the first batch: its reader may want no more.
        var ahead = _next;
        _reading = first || _current.IsLast ? null : Task.Run(() => Read(ahead));
        if (_current.Images.Count > 0) _current.Images.Score(Mapper.Scoring.Model);
        else _current.Failure?.Throw();
        return _current.Images.Count > 0;
    }

    private void Read(RowBatch batch)
    {
        _size = Math.Min(_size == 0 ? FirstRows : _size * Growth, Mapper.Scoring.BatchSize);
        batch.Read(_source, _size, _stop.Token);
    }

    private int Index() =>
        _index >= 0 ? _index : throw ActiveColumns.NoRow();

    private int Slot() => _current.Start + Index();

    /// <summary>Consecutive rows, read together.</summary>
    private sealed class RowBatch(ImageBatch images, RowBuffer rows, int start)
    {
        public ImageBatch Images => images;

        public int Start => start;

        /// <summary>Whether no rows follow.</summary>
        public bool IsLast { get; private set; }

        /// <summary>What went wrong after the rows of this batch, to be thrown where the next row would be.</summary>
        public ExceptionDispatchInfo? Failure { get; private set; }

        /// <summary>Reads and decodes at most <paramref name="count"/> rows. Throws nothing: see <see cref="Failure"/>.</summary>
        public void Read(DataViewRowCursor source, int count, CancellationToken stop)
        {
            images.Clear();
            IsLast = true;
            try
            {
                while (images.Count < count && !stop.IsCancellationRequested && source.MoveNext())
                {
                    rows.Take(start + images.Count);
                    images.Take(); // Last, for it counts the row.
                }
                IsLast = images.Count < count;
            }
            catch (Exception exception)
            {
                Failure = ExceptionDispatchInfo.Capture(exception);
            }
            try
            {
                images.Decode(stop);
            }
            catch (Exception exception)
            {
                images.Clear(); // Which of the images are good is not known.
                IsLast = true;
                Failure = ExceptionDispatchInfo.Capture(exception);
            }
        }
    }
}
