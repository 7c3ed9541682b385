using System.Numerics;

namespace Microsoft.ML.Transforms;

/// <summary>How numbers are brought to a common scale: by their range or by their mean and variance, over so many examples at most.</summary>
internal sealed record Normalization(bool ByVariance, bool FixZero, long MaximumExampleCount)
{
    public static Normalization MinMax(bool fixZero = true, long maximumExampleCount = 1000000000) => new(false, fixZero, maximumExampleCount);

    public static Normalization MeanVariance(bool fixZero = true, long maximumExampleCount = 1000000000) => new(true, fixZero, maximumExampleCount);

    public SlotStatistics<T> CreateStatistics<T>()
        where T : struct, IFloatingPointIeee754<T> => ByVariance ? new VarianceStatistics<T>(FixZero) : new RangeStatistics<T>(FixZero);
}
