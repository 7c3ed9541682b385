using System.Globalization;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>Reads values from text as ML.NET does: integers have digits only, and what is no number is missing.</summary>
internal static class TextParser
{
    /// <summary>Whether text stands for a missing value.</summary>
    public static bool IsMissing(ReadOnlySpan<char> text) =>
        text is "?" || text.Equals("NA", StringComparison.OrdinalIgnoreCase)
        || text.Equals("N/A", StringComparison.OrdinalIgnoreCase) || text.Equals("NaN", StringComparison.OrdinalIgnoreCase);

    public static bool TryDouble(ReadOnlySpan<char> text, out double value)
    {
        // Empty is zero, as in a sparse row.
        value = 0;
        text = text.Trim();
        if (text.IsEmpty)
            return true;
        if (!IsMissing(text) && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value))
            return true;
        value = double.NaN;
        return IsMissing(text);
    }

    public static bool TrySingle(ReadOnlySpan<char> text, out float value)
    {
        value = 0;
        text = text.Trim();
        if (text.IsEmpty)
            return true;
        if (!IsMissing(text) && float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value))
            return true;
        value = float.NaN;
        return IsMissing(text);
    }

    /// <summary>Empty is zero.</summary>
    public static bool TrySigned(ReadOnlySpan<char> text, long max, out long value)
    {
        value = 0;
        if (text.IsEmpty)
            return true;
        bool negative = text[0] == '-';
        if (!TryUnsigned(negative ? text[1..] : text, out ulong magnitude) || magnitude > (ulong)max + (negative ? 1UL : 0))
            return false;
        value = negative ? (long)(0 - magnitude) : (long)magnitude;
        return true;
    }

    /// <summary>Empty is none.</summary>
    public static bool TryUnsigned(ReadOnlySpan<char> text, out ulong value) =>
        ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);

    public static bool TryBoolean(ReadOnlySpan<char> text, out bool value)
    {
        Span<char> lower = stackalloc char[5];
        value = false;
        if (text.Length > lower.Length)
            return false;
        lower = lower[..text.ToLowerInvariant(lower)];
        value = lower is "t" or "y" or "1" or "+" or "+1" or "yes" or "true";
        return value || lower is "" or "f" or "n" or "0" or "-" or "-1" or "no" or "false";
    }

    /// <summary>A key from text that counts from 0; empty and what stands for missing is missing.</summary>
    public static bool TryKey(ReadOnlySpan<char> text, ulong count, out ulong key)
    {
        key = 0;
        if (text.IsEmpty || IsMissing(text))
            return true;
        if (!TryUnsigned(text, out ulong value) || value >= count)
            return false;
        key = value + 1;
        return true;
    }

    public static bool TryTimeSpan(ReadOnlySpan<char> text, out TimeSpan value) =>
        TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out value) || text.IsEmpty;

    public static bool TryDateTime(ReadOnlySpan<char> text, out DateTime value) =>
        DateTime.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out value)
        || text.IsEmpty;

    public static bool TryDateTimeOffset(ReadOnlySpan<char> text, out DateTimeOffset value) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out value) || text.IsEmpty;

    /// <summary>A signed integer, or an exception.</summary>
    public static long Signed(ReadOnlyMemory<char> text, long max, string type)
    {
        bool parsed = TrySigned(text.Span, max, out long value);
        Contracts.Check(parsed, $"The text is no {type}.");
        return value;
    }

    /// <summary>An unsigned integer, 0 where there is none.</summary>
    public static ulong Unsigned(ReadOnlyMemory<char> text, ulong max) => TryUnsigned(text.Span, out ulong value) && value <= max ? value : 0;
}
