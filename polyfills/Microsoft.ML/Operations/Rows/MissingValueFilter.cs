using Microsoft.ML.Internal.Utilities;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>The rows that lack no value of some columns.</summary>
internal sealed class MissingValueFilter : FilterDataView
{
    private readonly int[] _columns;

    public MissingValueFilter(IHostEnvironment env, IDataView input, string[] columns)
        : base(env, "MissingValueFilter", input)
    {
        _columns = new int[columns.Length];
        for (int i = 0; i < columns.Length; i++)
        {
            if (!Schema.TryGetColumnIndex(columns[i], out _columns[i]))
                throw Host.ExceptUserArg("Columns", $"Column '{columns[i]}' not found");
            if (!MissingValues.CanBeMissing(Schema[_columns[i]].Type.GetItemType()))
                throw Host.ExceptUserArg("Columns", $"Values of column '{columns[i]}' of type {Schema[_columns[i]].Type} are never missing");
        }
    }

    protected override bool Tests(int column) => _columns.Contains(column);

    protected override Func<bool> CreateTest(DataViewRowCursor input)
    {
        Func<bool>[] tests = [.. _columns.Select(c => Generic.Invoke<Func<bool>>(
            Schema[c].Type is VectorDataViewType ? VectorTest<int> : ScalarTest<int>, Schema[c].Type.GetItemType().RawType, input, Schema[c]))];
        return () => Array.TrueForAll(tests, test => test());
    }

    private static Func<bool> ScalarTest<T>(DataViewRowCursor input, DataViewSchema.Column column)
    {
        ValueGetter<T> getter = input.GetGetter<T>(column);
        Func<T, bool> isMissing = MissingValues.Test<T>(column.Type);
        T value = default;
        return () =>
        {
            getter(ref value);
            return !isMissing(value);
        };
    }

    private static Func<bool> VectorTest<T>(DataViewRowCursor input, DataViewSchema.Column column)
    {
        ValueGetter<VBuffer<T>> getter = input.GetGetter<VBuffer<T>>(column);
        Func<T, bool> isMissing = MissingValues.Test<T>(column.Type.GetItemType());
        // In a sparse vector the values not given are zero, which for keys means missing.
        bool zeroIsMissing = isMissing(default);
        VBuffer<T> value = default;
        return () =>
        {
            getter(ref value);
            if (zeroIsMissing && !value.IsDense)
                return false;
            foreach (T item in value.GetValues())
            {
                if (isMissing(item))
                    return false;
            }

            return true;
        };
    }
}
