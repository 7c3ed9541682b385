using System.Reflection;

namespace Microsoft.ML.Data;

/// <summary>Copies a value so that the two share no array.</summary>
internal delegate void ValueCopier<T>(in T source, ref T destination);

/// <summary>Finds the way to copy values of a type.</summary>
internal static class ValueCopier
{
    public static ValueCopier<T> For<T>()
    {
        if (!typeof(T).IsGenericType || typeof(T).GetGenericTypeDefinition() != typeof(VBuffer<>))
            return (in T source, ref T destination) => destination = source;
        MethodInfo method = typeof(ValueCopier).GetMethod(nameof(CopyVector), BindingFlags.Static | BindingFlags.NonPublic)
            .MakeGenericMethod(typeof(T).GetGenericArguments()[0]);
        return method.CreateDelegate<ValueCopier<T>>();
    }

    private static void CopyVector<TItem>(in VBuffer<TItem> source, ref VBuffer<TItem> destination) => source.CopyTo(ref destination);
}
