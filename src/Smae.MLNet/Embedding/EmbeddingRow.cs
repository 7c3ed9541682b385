using Microsoft.ML;
using Microsoft.ML.Data;

namespace Smae.MLNet;

/// <summary>A row with its embedding, made when it is first asked for at a position of the row below.</summary>
internal sealed class EmbeddingRow : DataViewRow
{
    private readonly DataViewRow _input;
    private readonly EmbeddingMapper _mapper;
    private readonly bool[] _active;
    private readonly EmbeddingBatch? _batch;
    private readonly BrokenImageReport? _broken;
    private long _embedded = long.MinValue;
    private long _count;

    /// <param name="input">The row below, which this one owns.</param>
    /// <param name="mapper">The mapper that <paramref name="input"/>'s schema belongs to.</param>
    /// <param name="active">The active columns of the mapper's output.</param>
    public EmbeddingRow(DataViewRow input, EmbeddingMapper mapper, bool[] active)
    {
        _input = input;
        _mapper = mapper;
        _active = active;
        if (active[mapper.EmbeddingIndex])
        {
            _batch = mapper.CreateBatch(input, capacity: 1);
            _broken = mapper.CreateReport();
        }
    }

    public override DataViewSchema Schema => _mapper.OutputSchema;

    public override long Position => _input.Position;

    public override long Batch => _input.Batch;

    public override ValueGetter<DataViewRowId> GetIdGetter() => _input.GetIdGetter();

    public override bool IsColumnActive(DataViewSchema.Column column) => _active[column.Index];

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        ColumnAccess.CheckActive(this, column);
        if (column.Index != _mapper.EmbeddingIndex)
            return _input.GetGetter<TValue>(_mapper.InputSchema[column.Index]);
        return ColumnAccess.Cast<TValue, VBuffer<float>>(column, (ref VBuffer<float> value) =>
        {
            Embed();
            _batch!.CopyTo(0, ref value);
        });
    }

    /// <summary>Makes the embedding of the row as it stands, unless that is done or nobody wants it.</summary>
    /// <exception cref="InvalidDataException">The image is broken and that is to be an error.</exception>
    public void Embed()
    {
        if (_batch is null || _embedded == Position)
            return;
        _batch.Images.Clear();
        _batch.Images.Take();
        _batch.Embed();
        _count++;
        if (_batch.Images.Problem(0) is { } problem)
            _broken!.Add(problem);
        _embedded = Position;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _broken?.Summarise(_count);
            _input.Dispose();
        }
        base.Dispose(disposing);
    }
}
