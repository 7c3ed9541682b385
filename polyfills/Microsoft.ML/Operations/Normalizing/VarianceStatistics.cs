using System.Numerics;

namespace Microsoft.ML.Transforms;

/// <summary>The mean and the variance, by Welford's method over the values that are not zero; the zeros are added at the end.</summary>
internal sealed class VarianceStatistics<T>(bool fixZero) : SlotStatistics<T>
    where T : struct, IFloatingPointIeee754<T>
{
    private double _mean;
    private double _m2;
    private long _count;
    private long _zeros;

    public override void Add(T value)
    {
        if (T.IsZero(value))
        {
            _zeros++;
            return;
        }

        if (!T.IsFinite(value))
            return;
        double number = double.CreateTruncating(value);
        _count++;
        double delta = number - _mean;
        _mean += delta / _count;
        _m2 += delta * (number - _mean);
    }

    public override (T Scale, T Offset) Finish()
    {
        if (_zeros > 0)
        {
            _count += _zeros;
            double delta = -_mean;
            _mean += delta * _zeros / _count;
            _m2 += delta * -_mean * _zeros;
        }

        if (_m2 == 0)
            return (T.Zero, T.Zero);
        double variance = _m2 / _count;
        if (fixZero)
            return (T.One / T.CreateTruncating(Math.Sqrt(variance + (_mean * _mean))), T.Zero);
        T scale = T.One / T.CreateTruncating(Math.Sqrt(variance));
        return (scale, T.IsZero(scale) ? T.Zero : T.CreateTruncating(_mean));
    }
}
