using Microsoft.ML.Internal.Utilities;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>Enumerates a single column.</summary>
public static class ColumnCursorExtensions
{
    public static IEnumerable<T> GetColumn<T>(this IDataView data, string columnName) => data.GetColumn<T>(data.Schema[columnName]);

    public static IEnumerable<T> GetColumn<T>(this IDataView data, DataViewSchema.Column column)
    {
        Contracts.CheckValue(data, nameof(data));
        Contracts.CheckNonEmpty(column.Name, nameof(column));
        DataViewSchema.Column own = data.Schema[column.Index];
        if (own.Name != column.Name || own.Type != column.Type)
            throw Contracts.ExceptParam(nameof(column), $"The data has no column '{column.Name}' of type {column.Type} at index {column.Index}.");

        if (column.Type.RawType == typeof(T))
            return Enumerate<T, T>(data, column, value => value);
        if (typeof(T) == typeof(string) && column.Type is TextDataViewType)
            return (IEnumerable<T>)Enumerate<ReadOnlyMemory<char>, string>(data, column, text => text.ToString());
        if (typeof(T).IsArray)
        {
            if (column.Type is not VectorDataViewType vector)
                throw Contracts.ExceptParam(nameof(column), $"A column of type {column.Type} is no array {typeof(T)}.");
            if (typeof(T).GetElementType() == vector.ItemType.RawType)
                return Generic.Invoke<IEnumerable<T>>(Arrays<int>, vector.ItemType.RawType, data, column);
            if (typeof(T) == typeof(string[]) && vector.ItemType is TextDataViewType)
                return (IEnumerable<T>)TextArrays(data, column);
        }

        throw Contracts.ExceptParam(nameof(column), $"Column '{column.Name}' of type {column.Type} cannot be read as {typeof(T)}.");
    }

    private static IEnumerable<T[]> Arrays<T>(IDataView data, DataViewSchema.Column column) =>
        Enumerate<VBuffer<T>, T[]>(data, column, vector =>
        {
            var array = new T[vector.Length];
            vector.CopyTo(array);
            return array;
        });

    private static IEnumerable<string[]> TextArrays(IDataView data, DataViewSchema.Column column) =>
        Enumerate<VBuffer<ReadOnlyMemory<char>>, string[]>(data, column, texts => [.. texts.DenseValues().Select(t => t.ToString())]);

    private static IEnumerable<TOut> Enumerate<TValue, TOut>(IDataView data, DataViewSchema.Column column, Func<TValue, TOut> convert)
    {
        using DataViewRowCursor cursor = data.GetRowCursor([column]);
        ValueGetter<TValue> getter = cursor.GetGetter<TValue>(column);
        TValue value = default;
        while (cursor.MoveNext())
        {
            getter(ref value);
            yield return convert(value);
        }
    }
}
