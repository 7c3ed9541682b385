namespace Microsoft.ML.Data;

/// <summary>What counts as missing: a number that is none, and the key 0. Text never is.</summary>
internal static class MissingValues
{
    public static bool CanBeMissing(DataViewType type) =>
        type == NumberDataViewType.Single || type == NumberDataViewType.Double || type is KeyDataViewType;

    public static Func<T, bool> Test<T>(DataViewType type)
    {
        if (typeof(T) == typeof(float))
            return (Func<T, bool>)(object)(Func<float, bool>)float.IsNaN;
        if (typeof(T) == typeof(double))
            return (Func<T, bool>)(object)(Func<double, bool>)double.IsNaN;
        if (type is KeyDataViewType)
            return value => EqualityComparer<T>.Default.Equals(value, default);
        return _ => false;
    }
}
