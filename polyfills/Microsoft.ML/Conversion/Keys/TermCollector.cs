using Microsoft.ML.Data;
using Microsoft.ML.Internal.Utilities;

namespace Microsoft.ML.Transforms;

/// <summary>Collects the different values of a column, up to a number.</summary>
internal abstract class TermCollector
{
    public abstract int Count { get; }

    public static TermCollector Create(DataViewRow row, DataViewSchema.Column column, int max, bool sort) =>
        Generic.Invoke<TermCollector>(CreateCore<int>, column.Type.GetItemType().RawType, row, column, max, sort);

    /// <summary>Takes the values of the current row in; false once there can be no more.</summary>
    public abstract bool AddRow();

    public abstract TermMap Finish();

    private static TermCollector CreateCore<T>(DataViewRow row, DataViewSchema.Column column, int max, bool sort) =>
        new TermCollector<T>(row, column, max, sort);
}
