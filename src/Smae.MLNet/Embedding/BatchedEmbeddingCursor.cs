using System.Runtime.ExceptionServices;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Smae.MLNet;

/// <summary>
/// Reads ahead, keeps the other columns' values, decodes and embeds the images of all rows read at once, then serves the rows. What
/// goes wrong with a row is thrown when the reader comes to it, not before.
/// </summary>
internal sealed class BatchedEmbeddingCursor : DataViewRowCursor
{
    // The first batches are small: a reader that wants a few rows shall not wait for many.
    private const int FirstRows = 4, Growth = 4, MostRows = 64;

    private readonly DataViewRowCursor _source;
    private readonly EmbeddingMapper _mapper;
    private readonly bool[] _active;
    private readonly EmbeddingBatch _batch;
    private readonly BrokenImageReport _broken;
    private readonly ColumnBuffer?[] _buffers;
    private readonly ValueGetter<DataViewRowId> _idGetter;
    private readonly DataViewRowId[] _ids = new DataViewRowId[MostRows];
    private readonly long[] _positions = new long[MostRows];
    private readonly long[] _batches = new long[MostRows];
    private ExceptionDispatchInfo? _failure;
    private int _rows = FirstRows / Growth;
    private int _slot = -1;
    private bool _done;
    private long _served;

    /// <param name="source">The cursor below, which this one owns.</param>
    /// <param name="mapper">The mapper that <paramref name="source"/>'s schema belongs to.</param>
    /// <param name="active">The active columns of the mapper's output, the embedding among them.</param>
    public BatchedEmbeddingCursor(DataViewRowCursor source, EmbeddingMapper mapper, bool[] active)
    {
        _source = source;
        _mapper = mapper;
        _active = active;
        _batch = mapper.CreateBatch(source, MostRows);
        _broken = mapper.CreateReport();
        _idGetter = source.GetIdGetter();
        _buffers = [.. mapper.InputSchema.Select(column => active[column.Index] ? ColumnBuffer.Create(source, column, MostRows) : null)];
    }

    public override DataViewSchema Schema => _mapper.OutputSchema;

    public override long Position => _slot < 0 ? -1 : _positions[_slot];

    public override long Batch => _slot < 0 ? 0 : _batches[_slot];

    public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId value) => value = _ids[Slot()];

    public override bool IsColumnActive(DataViewSchema.Column column) => _active[column.Index];

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        ColumnAccess.CheckActive(this, column);
        return column.Index == _mapper.EmbeddingIndex
            ? ColumnAccess.Cast<TValue, VBuffer<float>>(column, (ref VBuffer<float> value) => _batch.CopyTo(Slot(), ref value))
            : _buffers[column.Index]!.Getter<TValue>(column, Slot);
    }

    public override bool MoveNext()
    {
        if (_done)
            return false;
        if (++_slot >= _batch.Images.Count)
        {
            _slot = -1;
            ReadAhead();
            if (_batch.Images.Count == 0)
            {
                _done = true;
                _failure?.Throw();
                return false;
            }
            _slot = 0;
        }
        _served++;
        if (_batch.Images.Problem(_slot) is { } problem)
            _broken.Add(problem);
        return true;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _broken.Summarise(_served);
            _source.Dispose();
        }
        base.Dispose(disposing);
    }

    private void ReadAhead()
    {
        _rows = Math.Min(_rows * Growth, MostRows);
        _batch.Images.Clear();
        try
        {
            while (_failure is null && _batch.Images.Count < _rows && _source.MoveNext())
                Take(_batch.Images.Count);
        }
        catch (Exception exception)
        {
            _failure = ExceptionDispatchInfo.Capture(exception);
        }
        if (_batch.Images.Count > 0)
            _batch.Embed();
    }

    private void Take(int slot)
    {
        _positions[slot] = _source.Position;
        _batches[slot] = _source.Batch;
        _idGetter(ref _ids[slot]);
        foreach (var buffer in _buffers)
            buffer?.Take(slot);
        _batch.Images.Take(); // Last, for it counts the row.
    }

    private int Slot() => _slot >= 0
        ? _slot
        : throw new InvalidOperationException("There is no current row: MoveNext has not been called, or has returned false.");
}
