using System.Globalization;
using Microsoft.ML.Data;

namespace Microsoft.ML.Transforms;

/// <summary>Writes values as text where an annotation is wanted as text.</summary>
internal static class TermText
{
    public static string Of<T>(T value, DataViewType type) => value switch
    {
        _ when type is KeyDataViewType => (Convert.ToUInt64(value) - 1).ToString(CultureInfo.InvariantCulture),
        float.NaN or double.NaN => "?",
        double number => number.ToString("G17", CultureInfo.InvariantCulture),
        bool flag => flag ? "1" : "0",
        TimeSpan span => span.ToString("c"),
        DateTime time => time.ToString("o"),
        DateTimeOffset time => time.ToString("o"),
        IFormattable other => other.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString(),
    };
}
