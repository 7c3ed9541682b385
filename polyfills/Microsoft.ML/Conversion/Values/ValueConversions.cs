using System.Globalization;
using System.Numerics;
using Microsoft.ML.Runtime;
using Text = System.ReadOnlyMemory<char>;

namespace Microsoft.ML.Data;

/// <summary>The conversions between primitive types that ML.NET has.</summary>
internal static class ValueConversions
{
    private static readonly Dictionary<(Type, Type), Delegate> Known = CreateAll();

    /// <summary>Finds a conversion, null if there is none.</summary>
    public static Func<TSrc, TDst> Find<TSrc, TDst>(DataViewType source, DataViewType destination)
    {
        if (!Allowed(source, destination))
            return null;
        if (destination is KeyDataViewType key && source is TextDataViewType)
            return (Func<TSrc, TDst>)(Delegate)KeyFromText<TDst>(key);
        if (typeof(TSrc) == typeof(TDst))
            return (Func<TSrc, TDst>)(Delegate)(Func<TSrc, TSrc>)(value => value);
        return Known.TryGetValue((typeof(TSrc), typeof(TDst)), out Delegate conversion) ? (Func<TSrc, TDst>)conversion : null;
    }

    public static bool Exists(DataViewType source, DataViewType destination) =>
        Allowed(source, destination)
        && ((destination is KeyDataViewType && source is TextDataViewType)
            || (source.RawType == destination.RawType && source.RawType != typeof(TimeSpan) && source.RawType != typeof(DateTimeOffset))
            || Known.ContainsKey((source.RawType, destination.RawType)));

    /// <summary>What stands for a missing value: not a number, or the default.</summary>
    public static T Missing<T>() =>
        typeof(T) == typeof(float) ? (T)(object)float.NaN : typeof(T) == typeof(double) ? (T)(object)double.NaN : default;

    private static bool Allowed(DataViewType source, DataViewType destination)
    {
        if (source is KeyDataViewType sourceKey)
        {
            return destination is KeyDataViewType destinationKey
                ? sourceKey.Count == destinationKey.Count
                : KeyDataViewType.IsValidDataType(destination.RawType) && sourceKey.Count <= destination.RawType.ToMaxInt();
        }

        return destination is KeyDataViewType ? source is TextDataViewType : destination.IsStandardScalar();
    }

    private static Func<Text, TKey> KeyFromText<TKey>(KeyDataViewType key) => text =>
    {
        TextParser.TryKey(text.Span, key.Count, out ulong value);
        return (TKey)Convert.ChangeType(value, typeof(TKey), CultureInfo.InvariantCulture);
    };

    private static Dictionary<(Type, Type), Delegate> CreateAll()
    {
        var all = new Dictionary<(Type, Type), Delegate>();
        AddSigned<sbyte>();
        AddSigned<short>();
        AddSigned<int>();
        AddSigned<long>();
        AddUnsigned<byte>();
        AddUnsigned<ushort>();
        AddUnsigned<uint>();
        AddUnsigned<ulong>();
        Add<float, double>(v => v);
        Add<double, float>(v => (float)v);
        Add<float, bool>(Convert.ToBoolean);
        Add<double, bool>(Convert.ToBoolean);
        Add<float, Text>(v => v.ToString("G7", CultureInfo.InvariantCulture).AsMemory());
        Add<double, Text>(v => v.ToString("G17", CultureInfo.InvariantCulture).AsMemory());
        Add<bool, float>(v => v ? 1 : 0);
        Add<bool, double>(v => v ? 1 : 0);
        Add<bool, Text>(v => v.ToString().AsMemory());
        AddTimes<TimeSpan>(v => v.Ticks, "c");
        AddTimes<DateTime>(v => v.Ticks, "o");
        AddTimes<DateTimeOffset>(v => v.UtcTicks, "o");
        AddFromText();
        return all;

        void Add<TSrc, TDst>(Func<TSrc, TDst> conversion) => all.Add((typeof(TSrc), typeof(TDst)), conversion);

        void AddNumber<TSrc, TDst>()
            where TSrc : INumber<TSrc>
            where TDst : INumber<TDst>
        {
            if (typeof(TSrc) != typeof(TDst))
                Add<TSrc, TDst>(TDst.CreateTruncating);
        }

        void AddSigned<T>()
            where T : INumber<T>
        {
            AddNumber<T, sbyte>();
            AddNumber<T, short>();
            AddNumber<T, int>();
            AddNumber<T, long>();
            AddCommon<T>();
            Add<bool, T>(v => v ? T.One : T.Zero);
        }

        void AddUnsigned<T>()
            where T : INumber<T>
        {
            AddNumber<T, byte>();
            AddNumber<T, ushort>();
            AddNumber<T, uint>();
            AddNumber<T, ulong>();
            AddCommon<T>();
        }

        void AddCommon<T>()
            where T : INumber<T>
        {
            AddNumber<T, float>();
            AddNumber<T, double>();
            Add<T, bool>(v => !T.IsZero(v));
            Add<T, Text>(v => v.ToString(null, CultureInfo.InvariantCulture).AsMemory());
        }

        void AddTimes<T>(Func<T, long> ticks, string format)
            where T : IFormattable
        {
            Add<T, long>(ticks);
            Add<T, float>(v => ticks(v));
            Add<T, double>(v => ticks(v));
            Add<T, Text>(v => v.ToString(format, CultureInfo.InvariantCulture).AsMemory());
        }

        void AddFromText()
        {
            Add<Text, sbyte>(v => (sbyte)TextParser.Signed(v, sbyte.MaxValue, "sbyte"));
            Add<Text, short>(v => (short)TextParser.Signed(v, short.MaxValue, "short"));
            Add<Text, int>(v => (int)TextParser.Signed(v, int.MaxValue, "int"));
            Add<Text, long>(v => TextParser.Signed(v, long.MaxValue, "long"));
            Add<Text, byte>(v => (byte)TextParser.Unsigned(v, byte.MaxValue));
            Add<Text, ushort>(v => (ushort)TextParser.Unsigned(v, ushort.MaxValue));
            Add<Text, uint>(v => (uint)TextParser.Unsigned(v, uint.MaxValue));
            Add<Text, ulong>(v => TextParser.Unsigned(v, ulong.MaxValue));
            Add<Text, float>(v => TextParser.TrySingle(v.Span, out float value) ? value : float.NaN);
            Add<Text, double>(v => TextParser.TryDouble(v.Span, out double value) ? value : double.NaN);
            Add<Text, bool>(v => TextParser.TryBoolean(v.Span, out bool value) && value);
            Add<Text, TimeSpan>(v => TextParser.TryTimeSpan(v.Span, out TimeSpan value) ? value : default);
            Add<Text, DateTime>(v => TextParser.TryDateTime(v.Span, out DateTime value) ? value : default);
            Add<Text, DateTimeOffset>(v => TextParser.TryDateTimeOffset(v.Span, out DateTimeOffset value) ? value : default);
        }
    }
}
