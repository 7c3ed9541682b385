using System.Numerics;

namespace Microsoft.ML.Transforms;

/// <summary>The least and the greatest value.</summary>
internal sealed class RangeStatistics<T>(bool fixZero) : SlotStatistics<T>
    where T : struct, IFloatingPointIeee754<T>
{
    private T _min = T.PositiveInfinity;
    private T _max = T.NegativeInfinity;

    public override void Add(T value)
    {
        // What is not a number passes neither comparison.
        if (value < _min)
            _min = value;
        if (value > _max)
            _max = value;
    }

    public override (T Scale, T Offset) Finish()
    {
        if (!(_max > _min))
            return (T.Zero, T.Zero);
        if (fixZero)
            return (T.One / T.Max(T.Abs(_max), T.Abs(_min)), T.Zero);
        T scale = T.One / (_max - _min);
        return (scale, scale == T.Zero ? T.Zero : _min);
    }
}
