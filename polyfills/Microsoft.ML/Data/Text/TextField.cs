using Microsoft.ML.Internal.Utilities;

namespace Microsoft.ML.Data;

/// <summary>The current value of a column of a text file.</summary>
internal abstract class TextField
{
    public abstract Delegate Getter { get; }

    public static TextField Create(TextColumn column, TextFormat format) =>
        Generic.Invoke<TextField>(
            column.Type is VectorDataViewType ? CreateVector<int> : CreateScalar<int>, column.Type.GetItemType().RawType, column, format);

    public abstract void Parse(List<string> fields, long line);

    private static TextField CreateScalar<T>(TextColumn column, TextFormat format) =>
        new ScalarTextField<T>(column, new FieldParser<T>(column, format));

    private static TextField CreateVector<T>(TextColumn column, TextFormat format) =>
        new VectorTextField<T>(column, new FieldParser<T>(column, format));
}
