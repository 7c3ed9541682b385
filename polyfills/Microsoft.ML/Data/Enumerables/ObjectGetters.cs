using Microsoft.ML.Internal.Utilities;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>Getters of columns over the current object of a row.</summary>
internal static class ObjectGetters<TRow>
    where TRow : class
{
    /// <summary>Makes what makes the getter of a column from a source of row objects; access to the member is compiled once.</summary>
    public static Func<Func<TRow>, Delegate> Create(MemberColumn column)
    {
        Type type = column.Member.Type;
        Delegate factory = column switch
        {
            { ColumnType: VectorDataViewType } when type == typeof(string[]) => TextArray,
            { ColumnType: VectorDataViewType } when type.IsArray => Array<int>,
            { ColumnType: VectorDataViewType } => Vector<int>,
            { ColumnType: TextDataViewType } when type == typeof(string) => Text,
            { ColumnType: KeyDataViewType } => Key<int>,
            _ => Direct<int>,
        };
        return factory.Method.IsGenericMethod
            ? Generic.Invoke<Func<Func<TRow>, Delegate>>(factory, column.Member.IsVector ? column.Member.ItemType : type, column)
            : ((Func<MemberColumn, Func<Func<TRow>, Delegate>>)factory)(column);
    }

    private static Func<Func<TRow>, Delegate> Direct<T>(MemberColumn column)
    {
        Func<TRow, T> read = MemberAccess.Reader<TRow, T>(column.Member.Info);
        return current => (ValueGetter<T>)((ref T dst) => dst = read(current()));
    }

    private static Func<Func<TRow>, Delegate> Text(MemberColumn column)
    {
        Func<TRow, string> read = MemberAccess.Reader<TRow, string>(column.Member.Info);
        return current => (ValueGetter<ReadOnlyMemory<char>>)((ref ReadOnlyMemory<char> dst) => dst = read(current()).AsMemory());
    }

    private static Func<Func<TRow>, Delegate> TextArray(MemberColumn column)
    {
        Func<TRow, string[]> read = MemberAccess.Reader<TRow, string[]>(column.Member.Info);
        return current => (ValueGetter<VBuffer<ReadOnlyMemory<char>>>)((ref VBuffer<ReadOnlyMemory<char>> dst) =>
        {
            string[] texts = read(current()) ?? [];
            VBufferEditor<ReadOnlyMemory<char>> editor = VBufferEditor.Create(ref dst, texts.Length);
            for (int i = 0; i < texts.Length; i++)
                editor.Values[i] = texts[i].AsMemory();
            dst = editor.Commit();
        });
    }

    private static Func<Func<TRow>, Delegate> Array<T>(MemberColumn column)
    {
        Func<TRow, T[]> read = MemberAccess.Reader<TRow, T[]>(column.Member.Info);
        return current => (ValueGetter<VBuffer<T>>)((ref VBuffer<T> dst) =>
        {
            T[] values = read(current()) ?? [];
            VBufferEditor<T> editor = VBufferEditor.Create(ref dst, values.Length);
            values.AsSpan().CopyTo(editor.Values);
            dst = editor.Commit();
        });
    }

    private static Func<Func<TRow>, Delegate> Vector<T>(MemberColumn column)
    {
        Func<TRow, VBuffer<T>> read = MemberAccess.Reader<TRow, VBuffer<T>>(column.Member.Info);
        return current => (ValueGetter<VBuffer<T>>)((ref VBuffer<T> dst) => read(current()).CopyTo(ref dst));
    }

    /// <summary>A user's keys start at 0, a data view's at 1; what is out of range is missing.</summary>
    private static Func<Func<TRow>, Delegate> Key<T>(MemberColumn column)
    {
        Func<TRow, T> read = MemberAccess.Reader<TRow, T>(column.Member.Info);
        ulong count = column.ColumnType.GetKeyCount();
        return current =>
        {
            // The original forgets UInt16 here.
            Contracts.Check(typeof(T) != typeof(ushort));
            return (ValueGetter<T>)((ref T dst) =>
            {
                ulong key = Convert.ToUInt64(read(current()));
                dst = (T)Convert.ChangeType(key < count ? key + 1 : 0, typeof(T));
            });
        };
    }
}
