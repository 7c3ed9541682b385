using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>Adds a column of random numbers, the same in every pass; for that, the rows must always come in the same order.</summary>
internal sealed class RandomNumberColumn : TransformBase
{
    private const uint DefaultSeed = 42;

    private readonly ColumnBindings _bindings;
    private readonly uint _seed;

    public RandomNumberColumn(IHostEnvironment env, IDataView input, string name, uint? seed)
        : base(env, "GenerateNumber", input)
    {
        var annotations = new DataViewSchema.Annotations.Builder();
        annotations.AddPrimitiveValue(AnnotationUtils.Kinds.IsNormalized, BooleanDataViewType.Instance, true);
        _bindings = new ColumnBindings(input.Schema, [new(name, NumberDataViewType.Single, annotations.ToAnnotations())]);
        _seed = seed ?? DefaultSeed;
    }

    public override bool CanShuffle => false;

    public override DataViewSchema Schema => _bindings.Schema;

    public override long? GetRowCount() => Source.GetRowCount();

    public override DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random rand = null)
    {
        bool[] active = RowCursorUtils.ActiveColumns(columnsNeeded, Schema);
        DataViewRowCursor[] inputs = n > 1 && !NumbersNeeded(c => active[c])
            ? Source.GetRowCursorSet(InputsOf(active), n)
            : [Source.GetRowCursor(InputsOf(active))];
        return [.. inputs.Select(input => new Cursor(Host, _bindings, input, active, _seed))];
    }

    protected override bool? ShouldUseParallelCursors(Func<int, bool> predicate) => NumbersNeeded(predicate) ? false : null;

    protected override DataViewRowCursor GetRowCursorCore(IEnumerable<DataViewSchema.Column> columnsNeeded, Random rand)
    {
        bool[] active = RowCursorUtils.ActiveColumns(columnsNeeded, Schema);
        return new Cursor(Host, _bindings, Source.GetRowCursor(InputsOf(active)), active, _seed);
    }

    private bool NumbersNeeded(Func<int, bool> predicate) => predicate(_bindings.AddedColumnIndices[0]);

    private DataViewSchema.Column[] InputsOf(bool[] active)
    {
        bool[] passing = _bindings.GetActiveInput(c => active[c]);
        return [.. Source.Schema.Where(c => passing[c.Index])];
    }

    private sealed class Cursor(IChannelProvider provider, ColumnBindings bindings, DataViewRowCursor input, bool[] active, uint seed)
        : SynchronizedCursorBase(provider, input)
    {
        private readonly TauswortheHybrid _rand = new(seed);
        private long _drawn = -1;
        private float _number;

        public override DataViewSchema Schema => bindings.Schema;

        public override bool IsColumnActive(DataViewSchema.Column column) => active[column.Index];

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            Ch.Check(IsColumnActive(column));
            int index = bindings.MapColumnIndex(out bool isSource, column.Index);
            return isSource ? Input.GetGetter<TValue>(Input.Schema[index]) : RowCursorUtils.Cast<TValue>((ValueGetter<float>)GetNumber);
        }

        private void GetNumber(ref float value)
        {
            Ch.Check(IsGood(), RowCursorUtils.FetchValueStateError);
            for (; _drawn < Position; _drawn++)
                _number = _rand.NextFloat();
            value = _number;
        }

        private bool IsGood() => Position >= 0;
    }
}
