using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms;

namespace Microsoft.ML;

/// <summary>Transforms that bring numbers to a common scale.</summary>
public static class NormalizationCatalog
{
    public static NormalizingEstimator NormalizeMinMax(
        this TransformsCatalog catalog, string outputColumnName, string inputColumnName = null, long maximumExampleCount = 1000000000,
        bool fixZero = true) =>
        catalog.NormalizeMinMax([new(outputColumnName, inputColumnName)], maximumExampleCount, fixZero);

    public static NormalizingEstimator NormalizeMinMax(
        this TransformsCatalog catalog, InputOutputColumnPair[] columns, long maximumExampleCount = 1000000000, bool fixZero = true) =>
        Create(catalog, columns, Normalization.MinMax(fixZero, maximumExampleCount));

    public static NormalizingEstimator NormalizeMeanVariance(
        this TransformsCatalog catalog, string outputColumnName, string inputColumnName = null, long maximumExampleCount = 1000000000,
        bool fixZero = true, bool useCdf = false) =>
        catalog.NormalizeMeanVariance([new(outputColumnName, inputColumnName)], maximumExampleCount, fixZero, useCdf);

    public static NormalizingEstimator NormalizeMeanVariance(
        this TransformsCatalog catalog, InputOutputColumnPair[] columns, long maximumExampleCount = 1000000000,
        bool fixZero = true, bool useCdf = false)
    {
        if (useCdf)
            throw Contracts.ExceptNotSupp("The stand-in for ML.NET does not normalize by a distribution function.");
        return Create(catalog, columns, Normalization.MeanVariance(fixZero, maximumExampleCount));
    }

    private static NormalizingEstimator Create(TransformsCatalog catalog, InputOutputColumnPair[] columns, Normalization normalization)
    {
        IHostEnvironment env = catalog.GetEnvironment();
        env.CheckValue(columns, nameof(columns));
        return new NormalizingEstimator(env, normalization, InputOutputColumnPair.ConvertToValueTuples(columns));
    }
}
