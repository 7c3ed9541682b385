using Microsoft.ML.Internal.Utilities;

namespace Microsoft.ML.Data;

/// <summary>The values of one column for the rows of a pool.</summary>
internal abstract class ColumnStore
{
    public static ColumnStore Create(Type rawType, int slots, Delegate getter) =>
        Generic.Invoke<ColumnStore>(CreateCore<int>, rawType, slots, getter);

    public abstract void Fill(int slot);

    public abstract Delegate CreateGetter(Func<int> slot);

    private static ColumnStore CreateCore<T>(int slots, Delegate getter) => new ColumnStore<T>(slots, (ValueGetter<T>)getter);
}
