using System.Numerics;
using Microsoft.ML.Internal.Utilities;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>Labels as zero-based numbers, NaN where they are missing.</summary>
internal static class LabelGetter
{
    public static ValueGetter<float> Create(DataViewRow row, DataViewSchema.Column label)
    {
        if (label.Type == NumberDataViewType.Single)
            return row.GetGetter<float>(label);
        if (label.Type is KeyDataViewType key)
            return Generic.Invoke<ValueGetter<float>>(FromKey<uint>, key.RawType, row, label, key.Count);
        throw Contracts.Except("Only floating point number, boolean, and key type values can be used as label.");
    }

    private static ValueGetter<float> FromKey<T>(DataViewRow row, DataViewSchema.Column label, ulong count)
        where T : struct, INumberBase<T>
    {
        ValueGetter<T> getKey = row.GetGetter<T>(label);
        T key = default;
        return (ref float value) =>
        {
            getKey(ref key);
            ulong number = ulong.CreateTruncating(key);
            value = number > 0 && number <= count ? number - 1 : float.NaN;
        };
    }
}
