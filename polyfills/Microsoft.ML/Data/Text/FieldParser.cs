using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>Makes values of fields: one that is not there or empty is the default, one that cannot be read is missing or an error.</summary>
internal sealed class FieldParser<T>(TextColumn column, TextFormat format)
{
    private readonly bool _isReal = typeof(T) == typeof(float) || typeof(T) == typeof(double);
    private readonly ulong _keyCount = column.Type.GetItemType().GetKeyCount();

    public T Parse(List<string> fields, int field, Func<string, string> error)
    {
        string text = field < fields.Count ? fields[field] : "";
        if (text.Length == 0)
            return _isReal && format.MissingRealsAsNaNs ? ValueConversions.Missing<T>() : default;
        object value = Read(text);
        if (value != null)
            return (T)value;
        if (_isReal || _keyCount > 0)
            return ValueConversions.Missing<T>();
        throw Contracts.Except(error(text));
    }

    private object Read(string text)
    {
        if (_keyCount > 0)
            return TextParser.TryKey(text, _keyCount, out ulong key) ? Convert.ChangeType(key, typeof(T)) : null;
        if (typeof(T) == typeof(ReadOnlyMemory<char>))
            return text.AsMemory();
        if (_isReal && format.DecimalMarker == ',')
            text = text.Replace(',', '.');
        return Type.GetTypeCode(typeof(T)) switch
        {
            TypeCode.Single => TextParser.TrySingle(text, out float v) ? v : null,
            TypeCode.Double => TextParser.TryDouble(text, out double v) ? v : null,
            TypeCode.Boolean => TextParser.TryBoolean(text, out bool v) ? v : null,
            TypeCode.SByte => TextParser.TrySigned(text, sbyte.MaxValue, out long v) ? (sbyte)v : null,
            TypeCode.Int16 => TextParser.TrySigned(text, short.MaxValue, out long v) ? (short)v : null,
            TypeCode.Int32 => TextParser.TrySigned(text, int.MaxValue, out long v) ? (int)v : null,
            TypeCode.Int64 => TextParser.TrySigned(text, long.MaxValue, out long v) ? v : null,
            TypeCode.Byte => TextParser.TryUnsigned(text, out ulong v) && v <= byte.MaxValue ? (byte)v : null,
            TypeCode.UInt16 => TextParser.TryUnsigned(text, out ulong v) && v <= ushort.MaxValue ? (ushort)v : null,
            TypeCode.UInt32 => TextParser.TryUnsigned(text, out ulong v) && v <= uint.MaxValue ? (uint)v : null,
            TypeCode.UInt64 => TextParser.TryUnsigned(text, out ulong v) ? v : null,
            TypeCode.DateTime => TextParser.TryDateTime(text, out DateTime v) ? v : null,
            _ when typeof(T) == typeof(TimeSpan) => TextParser.TryTimeSpan(text, out TimeSpan v) ? v : null,
            _ when typeof(T) == typeof(DateTimeOffset) => TextParser.TryDateTimeOffset(text, out DateTimeOffset v) ? v : null,
            _ => null,
        };
    }
}
