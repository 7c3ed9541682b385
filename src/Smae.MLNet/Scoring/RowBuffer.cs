using System.Reflection;

namespace Smae.MLNet;

/// <summary>Position, id and values of rows, kept while the cursor they come from reads on.</summary>
internal sealed class RowBuffer
{
    private readonly DataViewRowCursor _source;
    private readonly ValueGetter<DataViewRowId> _idGetter;
    private readonly (long Position, long Batch, DataViewRowId Id)[] _rows;
    private readonly ColumnBuffer?[] _columns;

    /// <param name="columns">The columns of its schema whose values are kept; <see cref="ColumnBuffer.CanHold"/> says of which types.</param>
    public RowBuffer(DataViewRowCursor source, IEnumerable<DataViewSchema.Column> columns, int capacity)
    {
        (_source, _idGetter) = (source, source.GetIdGetter());
        _rows = new (long, long, DataViewRowId)[capacity];
        _columns = new ColumnBuffer?[source.Schema.Count];
        foreach (var column in columns) _columns[column.Index] = ColumnBuffer.Create(source, column, capacity);
    }

    /// <summary>Keeps the row as it stands at place <paramref name="slot"/>.</summary>
    public void Take(int slot)
    {
        (_rows[slot].Position, _rows[slot].Batch) = (_source.Position, _source.Batch);
        _idGetter(ref _rows[slot].Id);
        foreach (var column in _columns) column?.Take(slot);
    }

    public (long Position, long Batch, DataViewRowId Id) this[int slot] => _rows[slot];

    /// <summary>A getter of a kept column's value at the place that <paramref name="slot"/> tells at each call.</summary>
    public Delegate Getter(DataViewSchema.Column column, Func<int> slot) => _columns[column.Index]!.Getter(slot);
}

/// <summary>Values of one column, kept while the cursor they come from reads on.</summary>
internal abstract class ColumnBuffer
{
    private static readonly MethodInfo s_makeScalars = Method(nameof(Scalars)), s_makeVectors = Method(nameof(Vectors));

    /// <summary>Whether values of a type stay as they are when the cursor goes on; images, for one, do not.</summary>
    public static bool CanHold(DataViewType type) => type is PrimitiveDataViewType or VectorDataViewType;

    public static ColumnBuffer Create(DataViewRow row, DataViewSchema.Column column, int capacity)
    {
        var make = column.Type is VectorDataViewType vector
            ? s_makeVectors.MakeGenericMethod(vector.ItemType.RawType)
            : s_makeScalars.MakeGenericMethod(column.Type.RawType);
        return (ColumnBuffer)make.Invoke(null, BindingFlags.DoNotWrapExceptions, null, [row, column, capacity], null)!;
    }

    /// <summary>Keeps the value of the row as it stands at place <paramref name="slot"/>.</summary>
    public abstract void Take(int slot);

    /// <summary>A <see cref="ValueGetter{TValue}"/> of the value at the place that <paramref name="slot"/> tells at each call.</summary>
    public abstract Delegate Getter(Func<int> slot);

    private static MethodInfo Method(string name) => typeof(ColumnBuffer).GetMethod(name, BindingFlags.NonPublic | BindingFlags.Static)!;

    private static ColumnBuffer Scalars<T>(DataViewRow row, DataViewSchema.Column column, int capacity) =>
        new Values<T>(row.GetGetter<T>(column), (ref T from, ref T to) => to = from, capacity);

    // A copy of a vector: the reader may write into what it gets.
    private static ColumnBuffer Vectors<T>(DataViewRow row, DataViewSchema.Column column, int capacity) =>
        new Values<VBuffer<T>>(row.GetGetter<VBuffer<T>>(column), (ref VBuffer<T> from, ref VBuffer<T> to) => from.CopyTo(ref to), capacity);

    private delegate void Copy<T>(ref T from, ref T to);

    private sealed class Values<T>(ValueGetter<T> source, Copy<T> copy, int capacity) : ColumnBuffer
    {
        private readonly T[] _values = new T[capacity];

        public override void Take(int slot) => source(ref _values[slot]);

        public override Delegate Getter(Func<int> slot) => (ValueGetter<T>)((ref T value) => copy(ref _values[slot()], ref value));
    }
}
