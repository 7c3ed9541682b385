using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>A key: 0 is missing, 1 to <see cref="Count"/> are the values.</summary>
public sealed class KeyDataViewType : PrimitiveDataViewType
{
    public KeyDataViewType(Type type, ulong count)
        : base(type)
    {
        if (!IsValidDataType(type))
            throw Contracts.ExceptParam(nameof(type), "A key must be a Byte, UInt16, UInt32 or UInt64.");
        if (count == 0 || count > MaxCount(type))
            throw Contracts.ExceptParam(nameof(count), $"The count of a key must be positive and no more than {type.Name}.MaxValue, but is {count}.");
        Count = count;
    }

    public KeyDataViewType(Type type, int count)
        : this(type, (ulong)count) =>
        Contracts.CheckParam(count > 0, nameof(count), "The count of a key must be positive.");

    public ulong Count { get; }

    public static bool IsValidDataType(Type type) =>
        type == typeof(uint) || type == typeof(ulong) || type == typeof(ushort) || type == typeof(byte);

    public override bool Equals(DataViewType other) =>
        ReferenceEquals(this, other) || (other is KeyDataViewType key && key.RawType == RawType && key.Count == Count);

    public override bool Equals(object other) => other is DataViewType type && Equals(type);

    public override int GetHashCode() => HashCode.Combine(RawType, Count);

    public override string ToString() => $"Key<{RawType.Name}, 0-{Count - 1}>";

    private static ulong MaxCount(Type type) =>
        type == typeof(uint) ? uint.MaxValue : type == typeof(ulong) ? ulong.MaxValue : type == typeof(ushort) ? ushort.MaxValue : byte.MaxValue;
}
