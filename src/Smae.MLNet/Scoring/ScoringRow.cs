using Microsoft.ML;
using Microsoft.ML.Data;

namespace Smae.MLNet;

/// <summary>A row with its scores, made when one is first asked for at a position of the row below.</summary>
internal sealed class ScoringRow : DataViewRow
{
    private readonly DataViewRow _input;
    private readonly ScoringMapper _mapper;
    private readonly bool[] _active;
    private readonly ScoredBatch? _batch;
    private readonly BrokenImageReport? _broken;
    private long _scored = long.MinValue;
    private long _count;

    /// <param name="input">The row below, which this one owns.</param>
    /// <param name="mapper">The mapper that <paramref name="input"/>'s schema belongs to.</param>
    /// <param name="active">The active columns of the mapper's output.</param>
    public ScoringRow(DataViewRow input, ScoringMapper mapper, bool[] active)
    {
        _input = input;
        _mapper = mapper;
        _active = active;
        if (mapper.Scores(active))
        {
            _batch = mapper.CreateBatch(mapper.CreateReader(input), capacity: 1);
            _broken = mapper.Scorer.CreateReport();
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
        return _mapper.OutputAt(column.Index) is { } output
            ? output.Getter<TValue>(column, Scores)
            : _input.GetGetter<TValue>(_mapper.InputSchema[column.Index]);
    }

    /// <summary>Scores the row as it stands, unless that is done or nobody wants it.</summary>
    /// <exception cref="InvalidDataException">The image is broken and that is to be an error.</exception>
    public void Score()
    {
        if (_batch is null || _scored == Position)
            return;
        _batch.Images.Clear();
        _batch.Images.Take();
        _batch.Images.Decode();
        _batch.Score();
        _count++;
        if (_batch.Images.Problem(0) is { } problem)
            _broken!.Add(problem);
        _scored = Position;
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

    private ReadOnlySpan<float> Scores()
    {
        Score();
        return _batch!.Scores(0);
    }
}
