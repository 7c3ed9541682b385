using Microsoft.ML.Internal.Utilities;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>An annotation given as a value; plain arrays and strings stand for vectors and text.</summary>
internal sealed class AnnotationInfo<T> : AnnotationInfo
{
    private readonly T _value;

    public AnnotationInfo(T value, DataViewType type)
        : base(type)
    {
        (Type itemType, bool isVector) = Member.ItemOf(typeof(T));
        if (isVector != type is VectorDataViewType)
            throw Contracts.Except($"The annotation's value is a {(isVector ? "vector" : "scalar")}, but its type is {type}.");
        if (itemType != type.GetItemType().RawType)
            throw Contracts.Except($"The annotation's value is of {itemType}, but its type is {type}.");
        _value = value;
    }

    public override Delegate GetGetter() => _value switch
    {
        string text => (ValueGetter<ReadOnlyMemory<char>>)((ref ReadOnlyMemory<char> dst) => dst = text.AsMemory()),
        string[] texts => Vector<ReadOnlyMemory<char>>([.. texts.Select(t => t.AsMemory())]),
        Array => Generic.Invoke<Delegate>(Vector<int>, typeof(T).GetElementType(), _value),
        _ => (ValueGetter<T>)((ref T dst) => dst = _value),
    };

    private static Delegate Vector<TItem>(TItem[] items) =>
        (ValueGetter<VBuffer<TItem>>)((ref VBuffer<TItem> dst) => VBuffer<TItem>.Copy(items, 0, ref dst, items.Length));
}
