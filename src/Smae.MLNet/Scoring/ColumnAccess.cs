using Microsoft.ML;

namespace Smae.MLNet;

/// <summary>The checks that every row of a data view makes before it hands out a getter.</summary>
internal static class ColumnAccess
{
    /// <exception cref="InvalidOperationException">The column was not asked for when the cursor was opened.</exception>
    public static void CheckActive(DataViewRow row, DataViewSchema.Column column)
    {
        if (!row.IsColumnActive(column))
            throw new InvalidOperationException($"Column '{column.Name}' is not active: it is not among the columns that were asked for.");
    }

    /// <summary>The getter as one of <typeparamref name="TWanted"/>, which must be what it is.</summary>
    /// <exception cref="InvalidOperationException">The column holds values of another type.</exception>
    public static ValueGetter<TWanted> Cast<TWanted, TValue>(DataViewSchema.Column column, ValueGetter<TValue> getter) =>
        getter as object as ValueGetter<TWanted> ?? throw new InvalidOperationException(
            $"Column '{column.Name}' holds values of type {typeof(TValue)}, not {typeof(TWanted)}.");
}
