namespace Microsoft.ML.Transforms;

/// <summary>Compares the values of a column: text by its characters, not by where it is in memory.</summary>
internal sealed class TermComparer : IEqualityComparer<ReadOnlyMemory<char>>, IComparer<ReadOnlyMemory<char>>
{
    private static readonly TermComparer Text = new();

    public static IEqualityComparer<T> Of<T>() => Text as IEqualityComparer<T> ?? EqualityComparer<T>.Default;

    public static IComparer<T> OrderOf<T>() => Text as IComparer<T> ?? Comparer<T>.Default;

    public bool Equals(ReadOnlyMemory<char> x, ReadOnlyMemory<char> y) => x.Span.SequenceEqual(y.Span);

    public int GetHashCode(ReadOnlyMemory<char> obj) => string.GetHashCode(obj.Span);

    public int Compare(ReadOnlyMemory<char> x, ReadOnlyMemory<char> y) => x.Span.CompareTo(y.Span, StringComparison.Ordinal);
}
