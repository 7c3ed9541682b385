using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>Knows which column type a user's .NET type, with its attribute, stands for.</summary>
public static class DataViewTypeManager
{
    private static readonly HashSet<Type> Reserved =
    [
        typeof(bool), typeof(sbyte), typeof(byte), typeof(short), typeof(ushort), typeof(int), typeof(uint), typeof(long), typeof(ulong),
        typeof(float), typeof(double), typeof(string), typeof(ReadOnlySpan<char>), typeof(ReadOnlyMemory<char>), typeof(VBuffer<>),
        typeof(Nullable<>), typeof(DateTime), typeof(DateTimeOffset), typeof(TimeSpan), typeof(DataViewRowId),
    ];

    private static readonly Dictionary<MarkedType, DataViewType> ToDataView = [];
    private static readonly Dictionary<DataViewType, MarkedType> ToRaw = [];
    private static readonly Lock Gate = new();

    public static void Register(DataViewType dataViewType, Type type, DataViewTypeAttribute typeAttribute = null)
    {
        lock (Gate)
        {
            if (Reserved.Contains(type))
                throw Contracts.ExceptParam(nameof(type), $"Type {type} is one of ML.NET's own and cannot be registered.");

            var marked = new MarkedType(type, typeAttribute);
            bool rawKnown = ToDataView.TryGetValue(marked, out DataViewType knownDataView);
            bool dataViewKnown = ToRaw.TryGetValue(dataViewType, out MarkedType knownRaw);
            if (rawKnown && !knownDataView.Equals(dataViewType))
                throw Contracts.ExceptParam(nameof(type), $"The raw type {type} already stands for {knownDataView}, not {dataViewType}.");
            if (dataViewKnown && !knownRaw.Equals(marked))
                throw Contracts.ExceptParam(nameof(dataViewType), $"{dataViewType} already stands for {knownRaw.Type}, not {type}.");
            ToDataView[marked] = dataViewType;
            ToRaw[dataViewType] = marked;
        }
    }

    internal static DataViewType GetDataViewType(Type type, IEnumerable<Attribute> typeAttributes = null)
    {
        var marked = new MarkedType(type, TypeAttribute(type, typeAttributes));
        lock (Gate)
        {
            return ToDataView.TryGetValue(marked, out DataViewType found)
                ? found
                : throw Contracts.ExceptParam(nameof(type), $"The raw type {type} is not registered with a DataView type.");
        }
    }

    internal static bool Knows(Type type, IEnumerable<Attribute> typeAttributes = null)
    {
        var marked = new MarkedType(type, TypeAttribute(type, typeAttributes));
        lock (Gate)
            return ToDataView.ContainsKey(marked);
    }

    internal static bool Knows(DataViewType dataViewType)
    {
        lock (Gate)
            return ToRaw.ContainsKey(dataViewType);
    }

    private static DataViewTypeAttribute TypeAttribute(Type type, IEnumerable<Attribute> attributes)
    {
        DataViewTypeAttribute[] found = attributes?.OfType<DataViewTypeAttribute>().ToArray() ?? [];
        return found.Length <= 1
            ? found.FirstOrDefault()
            : throw Contracts.ExceptParam(nameof(type), $"Type {type.Name} has several attributes of column types.");
    }

    private sealed class MarkedType(Type type, DataViewTypeAttribute attribute) : IEquatable<MarkedType>
    {
        public Type Type { get; } = type;

        private readonly DataViewTypeAttribute _attribute = attribute;

        public bool Equals(MarkedType other) =>
            other != null && Type == other.Type && (_attribute == null ? other._attribute == null : _attribute.Equals(other._attribute));

        public override bool Equals(object obj) => Equals(obj as MarkedType);

        public override int GetHashCode() => HashCode.Combine(Type, _attribute);
    }
}
