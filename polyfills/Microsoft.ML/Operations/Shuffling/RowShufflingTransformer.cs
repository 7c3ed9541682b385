using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>Rows in an order that is random within a pool, over a source that is itself shuffled where it can be.</summary>
internal sealed class RowShufflingTransformer : TransformBase
{
    private readonly IDataView _input;
    private readonly int _poolRows;
    private readonly bool _shuffleSource;
    private readonly int _seed;

    public RowShufflingTransformer(IHostEnvironment env, IDataView input, int poolRows, bool shuffleSource, int? seed)
        : base(env, "Shuffle", input)
    {
        _poolRows = poolRows;
        _shuffleSource = shuffleSource;
        _seed = seed ?? Host.Rand.NextSigned();
        _input = ColumnSubset.OfCacheable(env, input);
    }

    public override bool CanShuffle => true;

    public override DataViewSchema Schema => _input.Schema;

    public override long? GetRowCount() => Source.GetRowCount();

    public override DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random rand = null) =>
        [GetRowCursorCore(columnsNeeded, rand)];

    protected override bool? ShouldUseParallelCursors(Func<int, bool> predicate) => false;

    protected override DataViewRowCursor GetRowCursorCore(IEnumerable<DataViewSchema.Column> columnsNeeded, Random rand)
    {
        // Without a generator from outside, every pass has the same order.
        Random random = rand ?? RandomUtils.Create(_seed);
        Random sourceRandom = _shuffleSource ? RandomUtils.Create(random) : null;
        DataViewRowCursor input = _input.GetRowCursor(columnsNeeded, sourceRandom);
        return _poolRows == 1 ? input : new ShufflingCursor(Host, _poolRows, input, random);
    }
}
