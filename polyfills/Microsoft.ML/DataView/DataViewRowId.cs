using System.Numerics;

namespace Microsoft.ML.Data;

/// <summary>A 128-bit identity of a row; new ones are derived by the rounds of MurmurHash3.</summary>
public readonly struct DataViewRowId : IComparable<DataViewRowId>, IEquatable<DataViewRowId>
{
    public readonly ulong Low;
    public readonly ulong High;

    private const ulong C1 = 0x87c37b91114253d5;
    private const ulong C2 = 0x4cf5ad432745937f;

    public DataViewRowId(ulong low, ulong high)
    {
        Low = low;
        High = high;
    }

    public override string ToString() => $"{High:x16}{Low:x16}";

    public int CompareTo(DataViewRowId other) => (High, Low).CompareTo((other.High, other.Low));

    public bool Equals(DataViewRowId other) => Low == other.Low && High == other.High;

    public override bool Equals(object obj) => obj is DataViewRowId other && Equals(other);

    public override int GetHashCode() => HashCode.Combine(Low, High);

    public DataViewRowId Fork()
    {
        DataViewRowId next = Next();
        return new DataViewRowId(next.Low ^ (BitOperations.RotateLeft(C1, 31) * C2), next.High);
    }

    public DataViewRowId Next() => Mix(Low, 0, High, 0);

    public DataViewRowId Combine(DataViewRowId other)
    {
        DataViewRowId forked = other.Fork();
        return Mix(
            Low, BitOperations.RotateLeft(forked.Low * C1, 31) * C2,
            High, BitOperations.RotateLeft(forked.High * C2, 33) * C1);
    }

    private static DataViewRowId Mix(ulong h1, ulong k1, ulong h2, ulong k2)
    {
        h1 = ((BitOperations.RotateLeft(h1 ^ k1, 27) + h2) * 5) + 0x52dce729;
        h2 = ((BitOperations.RotateLeft(h2 ^ k2, 31) + h1) * 5) + 0x38495ab5;
        return new DataViewRowId(h1, h2);
    }
}
