using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>Goes between kinds, .NET types and column types.</summary>
internal static class DataKindExtensions
{
    private static readonly Dictionary<DataKind, PrimitiveDataViewType> Types = new()
    {
        [DataKind.SByte] = NumberDataViewType.SByte,
        [DataKind.Byte] = NumberDataViewType.Byte,
        [DataKind.Int16] = NumberDataViewType.Int16,
        [DataKind.UInt16] = NumberDataViewType.UInt16,
        [DataKind.Int32] = NumberDataViewType.Int32,
        [DataKind.UInt32] = NumberDataViewType.UInt32,
        [DataKind.Int64] = NumberDataViewType.Int64,
        [DataKind.UInt64] = NumberDataViewType.UInt64,
        [DataKind.Single] = NumberDataViewType.Single,
        [DataKind.Double] = NumberDataViewType.Double,
        [DataKind.String] = TextDataViewType.Instance,
        [DataKind.Boolean] = BooleanDataViewType.Instance,
        [DataKind.TimeSpan] = TimeSpanDataViewType.Instance,
        [DataKind.DateTime] = DateTimeDataViewType.Instance,
        [DataKind.DateTimeOffset] = DateTimeOffsetDataViewType.Instance,
    };

    private static readonly Dictionary<Type, PrimitiveDataViewType> ByRawType =
        new(Types.Values.Select(t => KeyValuePair.Create(t.RawType, t)))
        {
            [typeof(string)] = TextDataViewType.Instance,
            [typeof(DataViewRowId)] = RowIdDataViewType.Instance,
        };

    public static PrimitiveDataViewType ToPrimitiveType(this DataKind kind) =>
        Types.TryGetValue(kind, out PrimitiveDataViewType type) ? type : throw Contracts.ExceptParam(nameof(kind), $"Unknown kind of data: {kind}");

    public static DataKind? ToDataKind(this Type type)
    {
        foreach ((DataKind kind, PrimitiveDataViewType primitive) in Types)
        {
            if (primitive.RawType == type || (kind == DataKind.String && type == typeof(string)))
                return kind;
        }

        return null;
    }

    /// <summary>The column type of one of ML.NET's own raw types, or of a string.</summary>
    public static bool TryGetPrimitiveType(this Type type, out PrimitiveDataViewType primitive) => ByRawType.TryGetValue(type, out primitive);

    /// <summary>The greatest value of an integer type, 0 for others.</summary>
    public static ulong ToMaxInt(this Type type) => Type.GetTypeCode(type) switch
    {
        TypeCode.SByte => (ulong)sbyte.MaxValue,
        TypeCode.Byte => byte.MaxValue,
        TypeCode.Int16 => (ulong)short.MaxValue,
        TypeCode.UInt16 => ushort.MaxValue,
        TypeCode.Int32 => int.MaxValue,
        TypeCode.UInt32 => uint.MaxValue,
        TypeCode.Int64 => long.MaxValue,
        TypeCode.UInt64 => ulong.MaxValue,
        _ => 0,
    };
}
