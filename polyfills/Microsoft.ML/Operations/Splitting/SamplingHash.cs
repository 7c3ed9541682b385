using System.Buffers.Binary;
using System.Numerics;
using System.Text;
using Microsoft.ML.Internal.Utilities;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>Adds a key made of a column's hash, by MurmurHash3 in 30 bits; empty text is missing.</summary>
internal sealed class SamplingHash : IRowMapper
{
    private const uint DefaultSeed = 314489979;
    private const uint Mask = (1U << 30) - 1;

    private readonly string _output;
    private readonly DataViewSchema.Column _input;
    private readonly uint _seed;

    private SamplingHash(string output, DataViewSchema.Column input, uint? seed)
    {
        _output = output;
        _input = input;
        _seed = seed ?? DefaultSeed;
    }

    public static IDataView Apply(IHostEnvironment env, IDataView data, string output, string input, uint? seed)
    {
        DataViewSchema.Column column = data.Schema[input];
        if (!column.Type.IsStandardScalar() || column.Type is RowIdDataViewType)
            throw env.ExceptNotSupp($"The stand-in for ML.NET does not sample by columns of type '{column.Type}'.");
        return new RowToRowMapperTransform(env, data, new SamplingHash(output, column, seed));
    }

    public Func<int, bool> GetDependencies(Func<int, bool> activeOutput) => col => activeOutput(0) && col == _input.Index;

    public DataViewSchema.DetachedColumn[] GetOutputColumns() => [new(_output, new KeyDataViewType(typeof(uint), Mask + 1))];

    public Delegate[] CreateGetters(DataViewRow input, Func<int, bool> activeOutput, out Action disposer)
    {
        disposer = null;
        return [activeOutput(0) ? Generic.Invoke<Delegate>(CreateGetter<int>, _input.Type.RawType, input) : null];
    }

    /// <summary>MurmurHash3 for 32 bits.</summary>
    internal static uint Murmur(ReadOnlySpan<byte> bytes, uint seed)
    {
        uint hash = seed;
        int length = bytes.Length;
        for (; bytes.Length >= 4; bytes = bytes[4..])
            hash = TauswortheHybrid.MurmurRound(hash, BinaryPrimitives.ReadUInt32LittleEndian(bytes));
        if (bytes.Length > 0)
        {
            uint tail = 0;
            for (int i = 0; i < bytes.Length; i++)
                tail |= (uint)bytes[i] << (8 * i);
            hash ^= BitOperations.RotateLeft(tail * 0xCC9E2D51, 15) * 0x1B873593;
        }

        hash ^= (uint)length;
        hash = (hash ^ (hash >> 16)) * 0x85EBCA6B;
        hash = (hash ^ (hash >> 13)) * 0xC2B2AE35;
        return hash ^ (hash >> 16);
    }

    private ValueGetter<uint> CreateGetter<T>(DataViewRow input)
    {
        ValueGetter<T> getter = input.GetGetter<T>(_input);
        T value = default;
        return (ref uint dst) =>
        {
            getter(ref value);
            dst = Hash(value);
        };
    }

    private uint Hash<T>(T value)
    {
        Span<byte> eight = stackalloc byte[8];
        switch (value)
        {
            case ReadOnlyMemory<char> { IsEmpty: true }:
                return 0;
            case ReadOnlyMemory<char> text:
                return Key(Encoding.UTF8.GetBytes(text.Span.Trim(' ').ToString()));
            case long or ulong or DateTime or DateTimeOffset or TimeSpan:
                BinaryPrimitives.WriteInt64LittleEndian(eight, Ticks(value));
                return Key(eight);
            default:
                BinaryPrimitives.WriteInt32LittleEndian(eight, value is uint u ? (int)u : Convert.ToInt32(value));
                return Key(eight[..4]);
        }
    }

    private uint Key(ReadOnlySpan<byte> bytes) => (Murmur(bytes, _seed) & Mask) + 1;

    private static long Ticks<T>(T value) => value switch
    {
        DateTime time => time.Ticks,
        DateTimeOffset time => time.UtcTicks,
        TimeSpan span => span.Ticks,
        ulong number => (long)number,
        _ => (long)(object)value,
    };
}
