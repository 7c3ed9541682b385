using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;

namespace Smae.Training;

/// <summary>
/// Checks options. What a single option may be is declared on it by a <see cref="RangeAttribute"/>; rules between options are sentences of their own. One
/// exception names every fault.
/// </summary>
public static class Rules
{
    /// <summary>What is wrong with single options, one sentence each: name, value, what was expected.</summary>
    /// <param name="options">Any object. Properties with a <see cref="RangeAttribute"/> and those of an enumeration are looked at; null is always right.</param>
    /// <param name="name">What comes before the names of the properties, for example <c>Encoder.</c>. Default nothing.</param>
    /// <returns>For example "BatchSize is 0: expected at least 1."</returns>
    public static IEnumerable<string> Faults(object options, string name = "")
    {
        foreach (PropertyInfo property in options.GetType().GetProperties())
        {
            Type type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
            var range = property.GetCustomAttribute<RangeAttribute>();
            if ((range is null && !type.IsEnum) || property.GetIndexParameters().Length > 0 || property.GetValue(options) is not { } value) continue;
            string? expected = range is not null ? Expected(range, value) : Enum.IsDefined(type, value) ? null : $"one of {string.Join(", ", Enum.GetNames(type))}";
            string orNull = type == property.PropertyType ? "" : ", or null";
            if (expected is not null) yield return string.Create(CultureInfo.InvariantCulture, $"{name}{property.Name} is {value}: expected {expected}{orNull}.");
        }
    }

    /// <summary>Throws if there is a fault.</summary>
    /// <param name="faults">One sentence each; numbers in sentences that are made here are written in the invariant culture.</param>
    /// <param name="paramName">The argument that has them.</param>
    /// <exception cref="ArgumentException">There is a fault: the message names all.</exception>
    public static void Check(IEnumerable<string> faults, string paramName)
    {
        string all = ValueText.Invariant(() => string.Join(" ", faults.Distinct()));
        if (all.Length > 0) throw new ArgumentException(all, paramName);
    }

    private static string? Expected(RangeAttribute range, object given)
    {
        double value = Number(given), min = Number(range.Minimum), max = Number(range.Maximum);
        bool low = range.MinimumIsExclusive ? value > min : value >= min, high = range.MaximumIsExclusive ? value < max : value <= max;
        if (low && high) return null;
        string least = string.Create(CultureInfo.InvariantCulture, $"{min}"), most = string.Create(CultureInfo.InvariantCulture, $"{max}");
        if (max < int.MaxValue) return $"a number in {(range.MinimumIsExclusive ? '(' : '[')}{least}, {most}{(range.MaximumIsExclusive ? ')' : ']')}";
        if (min == 0) return range.MinimumIsExclusive ? "a positive number" : "0 or a positive number";
        return range.MinimumIsExclusive ? $"more than {least}" : $"at least {least}";
    }

    /// <summary>A number as it is, a time in seconds.</summary>
    private static double Number(object value) => value is TimeSpan time ? time.TotalSeconds : Convert.ToDouble(value, CultureInfo.InvariantCulture);
}
