using System.Globalization;
using System.Reflection;

namespace Smae.MLNet;

/// <summary>The classes that the keys of a label column stand for, and the values they were made of where these are known.</summary>
internal sealed class LabelClasses
{
    private const string KeyValues = "KeyValues";

    private static readonly MethodInfo s_readMethod = typeof(LabelClasses).GetMethod(nameof(ReadOf), BindingFlags.NonPublic | BindingFlags.Static)!;

    private readonly VectorDataViewType? _type;
    private readonly Delegate? _getter;

    private LabelClasses(string[] names, VectorDataViewType? type = null, Delegate? getter = null) => (Names, _type, _getter) = (names, type, getter);

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
        return type is not null && type.Size == count ? Read(type, label) : new LabelClasses(Numbered(count));
    }

    /// <summary>Classes by their names, or, where these are null, by their number alone.</summary>
    public static LabelClasses Of(IReadOnlyList<string>? names, int count) => names is null
        ? new LabelClasses(Numbered(count))
        : Make(new VectorDataViewType(TextDataViewType.Instance, count), [.. names.Select(name => name.AsMemory())]);

    /// <summary>What is known of the classes before there is data: their number is not, and stands in as two.</summary>
    public static LabelClasses Of(SchemaShape.Column label)
    {
        const int count = 2;
        var values = label.Annotations.FirstOrDefault(annotation => annotation.Name == KeyValues);
        return values.Name is not null && values.Kind == SchemaShape.Column.VectorKind.Vector
            ? Read(new VectorDataViewType((PrimitiveDataViewType)values.ItemType, count), null)
            : new LabelClasses(new string[count]);
    }

    /// <summary>The classes that any rank has, where each has a shard: the first one's, then what the others have besides. All ranks call this.</summary>
    /// <exception cref="ArgumentException">They are not the same, and not text.</exception>
    public LabelClasses OfAll(DataParallel ranks)
    {
        string[] all = [.. ranks.OfAll(Names).SelectMany(names => names).Distinct()];
        bool areSame = all.SequenceEqual(Names);
        if (ranks.Any(!areSame && !AreText))
            throw new ArgumentException("The labels' keys stand for other classes on another rank's shard: keys can be put together where they were made of text.");
        return ranks.Any(!areSame) ? Of(all, all.Length) : this;
    }

    /// <summary>Adds the values as an annotation, if they are known.</summary>
    public void AddTo(DataViewSchema.Annotations.Builder annotations, string kind)
    {
        if (_type is not null) annotations.Add(kind, _type, _getter!);
    }

    private static string[] Numbered(int count) => [.. Enumerable.Range(1, count).Select(key => key.ToString(CultureInfo.InvariantCulture))];

    private static LabelClasses Read(VectorDataViewType type, DataViewSchema.Column? label) =>
        (LabelClasses)s_readMethod.MakeGenericMethod(type.ItemType.RawType).Invoke(null, BindingFlags.DoNotWrapExceptions, null, [type, label], null)!;

    private static LabelClasses ReadOf<T>(VectorDataViewType type, DataViewSchema.Column? label)
    {
        VBuffer<T> values = default;
        label?.Annotations.GetValue(KeyValues, ref values);
        return Make(type, label is null ? new T[type.Size] : [.. values.DenseValues()]);
    }

    private static LabelClasses Make<T>(VectorDataViewType type, T[] values)
    {
        string[] names = [.. values.Select(value => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "")];
        return new LabelClasses(names, type, (ValueGetter<VBuffer<T>>)((ref VBuffer<T> value) => new VBuffer<T>(values.Length, values).CopyTo(ref value)));
    }
}

/// <summary>Finds and checks the label column of training data, with the errors that ML.NET's own trainers give.</summary>
internal static class LabelColumn
{
    // Keys that hashing makes count in the billions; nobody has so many classes.
    private const ulong MostClasses = 1 << 20;

    public static DataViewSchema.Column Find(DataViewSchema schema, string name) => Needed(name).Find(
        schema, name, column => column.Type is KeyDataViewType { Count: <= MostClasses } && column.Type.RawType == typeof(uint));

    /// <summary>The same before there is data.</summary>
    public static SchemaShape.Column Find(SchemaShape schema, string name) => Needed(name).Find(schema, name, column =>
        column.IsKey && column.Kind == SchemaShape.Column.VectorKind.Scalar && column.ItemType.Equals(NumberDataViewType.UInt32));

    private static NeededColumn Needed(string name) => new(
        "label", "Key<UInt32>", $"Make keys of the labels first: put mlContext.Transforms.Conversion.MapValueToKey(\"{name}\") before the trainer.");
}

/// <summary>Reads the classes of rows, counted from 0; -1 is a missing label.</summary>
internal sealed class LabelReader
{
    private readonly int _count;
    private readonly Dictionary<string, int>? _classOfText;   // where labels are compared with those of the training data
    private readonly IReadOnlyList<string> _textOfKey = [];
    private readonly SortedSet<string> _unknown = new(StringComparer.Ordinal);

    private LabelReader(DataViewSchema.Column column, int count) => (Column, _count) = (column, count);

    private LabelReader(DataViewSchema.Column column, Dictionary<string, int> classOfText, IReadOnlyList<string> textOfKey) =>
        (Column, _classOfText, _textOfKey, _count) = (column, classOfText, textOfKey, textOfKey.Count);

    public DataViewSchema.Column Column { get; }

    /// <summary>What else a missing label can mean, for messages, with those that were read: begins with a comma, or is empty.</summary>
    public string OrNotAClass => _classOfText is null ? "" : ", or one that the training data does not have"
        + (_unknown.Count == 0 ? "" : $" ({string.Join(", ", _unknown.Take(10).Select(label => $"'{label}'"))}{(_unknown.Count > 10 ? ", ..." : "")})");

    /// <summary>A reader of the keys that <paramref name="classes"/> were made of.</summary>
    public static LabelReader OfKeys(DataViewSchema.Column column, LabelClasses classes) => new(column, classes.Count);

    /// <summary>
    /// A reader of labels that are compared with those of the training data: keys made of the same values, in whatever order, or the values
    /// themselves where they are text.
    /// </summary>
    public static LabelReader OfValidation(DataViewSchema schema, string name, LabelClasses classes)
    {
        var needed = new NeededColumn(
            "label", classes.AreText ? "Key<UInt32> or the labels as Text" : "Key<UInt32>",
            "Transform the validation data by the same steps as the training data.", "validationData");
        var column = needed.Find(schema, name, column =>
            (column.Type is KeyDataViewType && column.Type.RawType == typeof(uint)) || (column.Type is TextDataViewType && classes.AreText));
        Dictionary<string, int> classOfText = [];
        for (int i = 0; i < classes.Count; i++) classOfText.TryAdd(classes.Names[i], i);
        if (column.Type is TextDataViewType) return new LabelReader(column, classOfText, []);
        var own = LabelClasses.Of(column);
        bool same = !own.HaveValues || !classes.HaveValues || own.Names.SequenceEqual(classes.Names);
        return same ? OfKeys(column, classes) : new LabelReader(column, classOfText, own.Names);
    }

    /// <summary>A function that gives the class of <paramref name="row"/>, wherever it then stands.</summary>
    public Func<int> Open(DataViewRow row)
    {
        ReadOnlyMemory<char> text = default;
        uint key = 0;
        if (Column.Type is TextDataViewType)
        {
            var texts = row.GetGetter<ReadOnlyMemory<char>>(Column);
            return () =>
            {
                texts(ref text);
                return ClassOf(text.ToString());
            };
        }
        var keys = row.GetGetter<uint>(Column);
        return () =>
        {
            keys(ref key);
            return key == 0 || key > _count ? -1 : _classOfText is null ? (int)key - 1 : ClassOf(_textOfKey[(int)key - 1]);
        };
    }

    private int ClassOf(string text)
    {
        if (_classOfText!.TryGetValue(text, out int known)) return known;
        if (text.Length > 0) _unknown.Add(text);
        return -1;
    }
}
