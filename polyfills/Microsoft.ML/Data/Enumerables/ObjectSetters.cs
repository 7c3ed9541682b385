using System.Reflection;
using Microsoft.ML.Internal.Utilities;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>Writes the columns of a row into the members of an object, into the arrays that the object already has where they fit.</summary>
internal static class ObjectSetters<TRow>
    where TRow : class
{
    public static Action<TRow> Create(MemberColumn column, DataViewRow row, int index)
    {
        Type type = column.Member.Type;
        MemberInfo member = column.Member.Info;
        DataViewSchema.Column source = row.Schema[index];
        if (type == typeof(string[]))
            return TextArray(row, source, member);
        if (type == typeof(string))
            return Text(row, source, member);
        // Types of others, images among them, count only once somebody has registered this very type, and an attribute registers one size.
        if (!column.Member.IsVector && source.Type is not PrimitiveDataViewType && !DataViewTypeManager.Knows(source.Type))
            throw Contracts.Process(new NotImplementedException($"Type '{type.FullName}' is not yet supported."));
        Func<DataViewRow, DataViewSchema.Column, MemberInfo, Action<TRow>> setter =
            type.IsArray ? Values<int> : column.Member.IsVector ? Vector<int> : Direct<int>;
        return Generic.Invoke<Action<TRow>>(setter, column.Member.IsVector ? column.Member.ItemType : type, row, source, member);
    }

    private static Action<TRow> Direct<T>(DataViewRow row, DataViewSchema.Column column, MemberInfo member)
    {
        ValueGetter<T> getter = row.GetGetter<T>(column);
        Action<TRow, T> write = MemberAccess.Writer<TRow, T>(member);
        T value = default;
        return target =>
        {
            getter(ref value);
            write(target, value);
        };
    }

    private static Action<TRow> Text(DataViewRow row, DataViewSchema.Column column, MemberInfo member)
    {
        ValueGetter<ReadOnlyMemory<char>> getter = row.GetGetter<ReadOnlyMemory<char>>(column);
        Action<TRow, string> write = MemberAccess.Writer<TRow, string>(member);
        ReadOnlyMemory<char> value = default;
        return target =>
        {
            getter(ref value);
            write(target, value.ToString());
        };
    }

    private static Action<TRow> TextArray(DataViewRow row, DataViewSchema.Column column, MemberInfo member)
    {
        ValueGetter<VBuffer<ReadOnlyMemory<char>>> getter = row.GetGetter<VBuffer<ReadOnlyMemory<char>>>(column);
        Func<TRow, string[]> read = MemberAccess.Reader<TRow, string[]>(member);
        Action<TRow, string[]> write = MemberAccess.Writer<TRow, string[]>(member);
        VBuffer<ReadOnlyMemory<char>> value = default;
        return target =>
        {
            getter(ref value);
            string[] texts = read(target);
            if (texts?.Length != value.Length)
                texts = new string[value.Length];
            foreach ((int i, ReadOnlyMemory<char> text) in value.Items(all: true))
                texts[i] = text.ToString();
            write(target, texts);
        };
    }

    private static Action<TRow> Values<T>(DataViewRow row, DataViewSchema.Column column, MemberInfo member)
    {
        ValueGetter<VBuffer<T>> getter = row.GetGetter<VBuffer<T>>(column);
        Func<TRow, T[]> read = MemberAccess.Reader<TRow, T[]>(member);
        Action<TRow, T[]> write = MemberAccess.Writer<TRow, T[]>(member);
        VBuffer<T> value = default;
        return target =>
        {
            getter(ref value);
            T[] values = read(target);
            if (values?.Length != value.Length || !value.IsDense)
                values = new T[value.Length];
            value.CopyTo(values);
            write(target, values);
        };
    }

    private static Action<TRow> Vector<T>(DataViewRow row, DataViewSchema.Column column, MemberInfo member)
    {
        ValueGetter<VBuffer<T>> getter = row.GetGetter<VBuffer<T>>(column);
        Func<TRow, VBuffer<T>> read = MemberAccess.Reader<TRow, VBuffer<T>>(member);
        Action<TRow, VBuffer<T>> write = MemberAccess.Writer<TRow, VBuffer<T>>(member);
        return target =>
        {
            VBuffer<T> value = read(target);
            getter(ref value);
            write(target, value);
        };
    }
}
