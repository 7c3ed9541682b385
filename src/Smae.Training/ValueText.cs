using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Text.Json;

namespace Smae.Training;

/// <summary>A text for a value that another value has only if the two are equal, whatever the culture and however they print themselves.</summary>
internal static class ValueText
{
    /// <exception cref="InvalidOperationException">The value holds something whose content cannot be told; the message names the field.</exception>
    public static string Of(object value) => Text(value, value.GetType().ToString());

    /// <summary>Texts in which numbers are written the same way in every culture, however deep they are printed.</summary>
    public static T Invariant<T>(Func<T> text)
    {
        CultureInfo before = CultureInfo.CurrentCulture;
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        try
        {
            return text();
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    private static string Text(object? value, string where)
    {
        switch (value)
        {
            case null: return "null";
            case string text: return JsonSerializer.Serialize(text);
            case bool or char or Enum: return value.ToString()!;
            case IFormattable when value.GetType() is { Namespace: "System", IsValueType: true }:
                return ((IFormattable)value).ToString(value is DateTime or DateTimeOffset ? "O" : null, CultureInfo.InvariantCulture);
            case IEnumerable list and not Delegate:
                return $"[{string.Join(", ", list.Cast<object?>().Select((item, i) => Text(item, $"{where}[{i}]")))}]";
        }
        Type type = value.GetType();
        if (!type.IsValueType && type.GetMethod("<Clone>$") is null)
            throw new InvalidOperationException($"{where} is of the type {type}, whose content has no text: override Identity.");
        var fields = new List<string>();
        for (Type? declaring = type; declaring is not null; declaring = declaring.BaseType)
            foreach (FieldInfo field in declaring.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
            {
                string name = field.Name.Replace("<", "").Replace(">k__BackingField", "");
                fields.Add($"{name} = {Text(field.GetValue(value), $"{where}.{name}")}");
            }
        return $"{type} {{ {string.Join(", ", fields.Order(StringComparer.Ordinal))} }}";
    }
}
