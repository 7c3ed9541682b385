using System.Globalization;
using System.Reflection;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Smae.MLNet;

/// <summary>The classes that the keys of a label column stand for, and the values they were made of where these are known.</summary>
internal sealed class LabelClasses
{
    private const string KeyValues = "KeyValues";

    private static readonly MethodInfo ReadMethod = Method(nameof(Read)), PlaceholderMethod = Method(nameof(Placeholder));

    private readonly VectorDataViewType? _type;
    private readonly Delegate? _getter;
    private readonly Action<SchemaDefinition.Column, string>? _addTo;

    private LabelClasses(string[] names, VectorDataViewType? type, Delegate? getter, Action<SchemaDefinition.Column, string>? addTo)
    {
        Names = names;
        _type = type;
        _getter = getter;
        _addTo = addTo;
    }

    /// <summary>How many there are.</summary>
    public int Count => Names.Count;

    /// <summary>Their names in the order of the keys: the labels before they were keys, else the keys themselves, from 1.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>Whether the keys were made of values.</summary>
    public bool HaveValues => _type is not null;

    /// <summary>Whether the keys were made of text.</summary>
    public bool AreText => _type?.ItemType is TextDataViewType;

    /// <summary>The classes of a label column, read at once.</summary>
    public static LabelClasses Of(DataViewSchema.Column label)
    {
        int count = checked((int)((KeyDataViewType)label.Type).Count);
        var type = label.Annotations.Schema.GetColumnOrNull(KeyValues)?.Type as VectorDataViewType;
        return type is not null && type.Size == count
            ? Invoke(ReadMethod, type, label)
            : new LabelClasses(Numbered(count), null, null, null);
    }

    /// <summary>Classes by their names, or, where these are null, by their number alone.</summary>
    public static LabelClasses Of(IReadOnlyList<string>? names, int count) => names is null
        ? new LabelClasses(Numbered(count), null, null, null)
        : Make(new VectorDataViewType(TextDataViewType.Instance, count), [.. names.Select(name => name.AsMemory())]);

    /// <summary>What is known of the classes before there is data: their number is not, and is taken as two.</summary>
    public static LabelClasses Of(SchemaShape.Column label)
    {
        const int count = 2;
        var values = label.Annotations.FirstOrDefault(annotation => annotation.Name == KeyValues);
        return values.Name is not null && values.Kind == SchemaShape.Column.VectorKind.Vector
            ? Invoke(PlaceholderMethod, new VectorDataViewType((PrimitiveDataViewType)values.ItemType, count))
            : new LabelClasses(new string[count], null, null, null);
    }

    /// <summary>Adds the values as an annotation, if they are known.</summary>
    public void AddTo(DataViewSchema.Annotations.Builder annotations, string kind)
    {
        if (_type is not null)
            annotations.Add(kind, _type, _getter!);
    }

    /// <summary>Makes a column one of keys of these classes.</summary>
    public void Define(SchemaDefinition.Column column)
    {
        column.ColumnType = new KeyDataViewType(typeof(uint), Count);
        _addTo?.Invoke(column, KeyValues);
    }

    private static string[] Numbered(int count) => [.. Enumerable.Range(1, count).Select(key => key.ToString(CultureInfo.InvariantCulture))];

    private static LabelClasses Read<T>(VectorDataViewType type, DataViewSchema.Column label)
    {
        VBuffer<T> values = default;
        label.Annotations.GetValue(KeyValues, ref values);
        return Make<T>(type, [.. values.DenseValues()]);
    }

    private static LabelClasses Placeholder<T>(VectorDataViewType type) => Make(type, new T[type.Size]);

    private static LabelClasses Make<T>(VectorDataViewType type, T[] values)
    {
        string[] names = [.. values.Select(value => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "")];
        return new LabelClasses(
            names, type, (ValueGetter<VBuffer<T>>)((ref VBuffer<T> value) => new VBuffer<T>(values.Length, values).CopyTo(ref value)),
            (column, kind) => column.AddAnnotation(kind, new VBuffer<T>(values.Length, values), type));
    }

    private static LabelClasses Invoke(MethodInfo method, VectorDataViewType type, params object[] arguments) =>
        (LabelClasses)method.MakeGenericMethod(type.ItemType.RawType)
            .Invoke(null, BindingFlags.DoNotWrapExceptions, null, [type, .. arguments], null)!;

    private static MethodInfo Method(string name) => typeof(LabelClasses).GetMethod(name, BindingFlags.NonPublic | BindingFlags.Static)!;
}
