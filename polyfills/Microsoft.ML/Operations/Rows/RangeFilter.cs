using Microsoft.ML.Internal.Utilities;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>The rows whose number is within bounds, or out of them; keys count by where they are among all keys.</summary>
internal sealed class RangeFilter : FilterDataView
{
    private readonly int _column;
    private readonly Func<double, bool> _accept;

    public RangeFilter(
        IHostEnvironment env, IDataView input, string column, double min, double max,
        bool complement = false, bool includeMin = true, bool? includeMax = null)
        : base(env, "RangeFilter", input)
    {
        if (!Schema.TryGetColumnIndex(column, out _column))
            throw Host.ExceptUserArg("Column", $"Source column '{column}' not found");
        DataViewType type = Schema[_column].Type;
        if (!IsValidType(type))
            throw Host.ExceptUserArg("Column", $"Column '{column}' does not have compatible type");
        if (!(min <= max))
            throw Host.ExceptUserArg("Min", "min must be less than or equal to max");
        bool withMax = includeMax ?? (double.IsPositiveInfinity(max) || (type is KeyDataViewType && max >= 1));
        // Neither within nor without: a value that is not a number.
        _accept = complement
            ? v => (includeMin ? v < min : v <= min) || (withMax ? v > max : v >= max)
            : v => (includeMin ? v >= min : v > min) && (withMax ? v <= max : v < max);
    }

    public static bool IsValidType(DataViewType type) =>
        type == NumberDataViewType.Single || type == NumberDataViewType.Double || type is KeyDataViewType;

    protected override bool Tests(int column) => column == _column;

    protected override Func<bool> CreateTest(DataViewRowCursor input) =>
        Generic.Invoke<Func<bool>>(CreateTest<int>, Schema[_column].Type.RawType, input);

    private Func<bool> CreateTest<T>(DataViewRowCursor input)
    {
        ValueGetter<T> getter = input.GetGetter<T>(Schema[_column]);
        ulong count = Schema[_column].Type.GetKeyCount();
        T value = default;
        return () =>
        {
            getter(ref value);
            if (count == 0)
                return _accept(Convert.ToDouble(value));
            ulong key = Convert.ToUInt64(value);
            return key > 0 && key <= count && _accept(((uint)key - 0.5) / count);
        };
    }
}
