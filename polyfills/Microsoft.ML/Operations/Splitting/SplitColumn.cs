using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms;

namespace Microsoft.ML.Data;

/// <summary>Splits a data view by a column of numbers: random ones, or such as come from a column whose equal values belong together.</summary>
internal static class SplitColumn
{
    /// <summary>Adds the column and returns its name; without a seed, the environment's is taken.</summary>
    public static string Add(IHostEnvironment env, ref IDataView data, string samplingKeyColumn, int? seed)
    {
        string name = data.Schema.GetTempColumnName("SplitColumn");
        seed ??= ((IHostEnvironmentInternal)env).Seed;
        if (samplingKeyColumn == null)
        {
            data = new RandomNumberColumn(env, data, name, (uint?)seed);
            return name;
        }

        if (!data.Schema.TryGetColumnIndex(samplingKeyColumn, out int index))
            throw env.ExceptSchemaMismatch(nameof(samplingKeyColumn), "SamplingKeyColumn", samplingKeyColumn);
        DataViewType type = data.Schema[index].Type;
        if (type is KeyDataViewType)
            data = new ColumnCopyingEstimator(env, name, samplingKeyColumn).Fit(data).Transform(data);
        else if (RangeFilter.IsValidType(type))
            data = new NormalizingEstimator(env, Normalization.MinMax(fixZero: false), (name, samplingKeyColumn)).Fit(data).Transform(data);
        else
            data = SamplingHash.Apply(env, data, name, samplingKeyColumn, (uint?)seed);
        return name;
    }

    public static DataOperationsCatalog.TrainTestData Split(IHostEnvironment env, IDataView data, string column, double testFraction) =>
        new(
            Drop(env, new RangeFilter(env, data, column, 0, testFraction, complement: true), column),
            Drop(env, new RangeFilter(env, data, column, 0, testFraction), column));

    public static IEnumerable<DataOperationsCatalog.TrainTestData> Folds(IHostEnvironment env, IDataView data, string column, int count)
    {
        for (int fold = 0; fold < count; fold++)
        {
            double min = (double)fold / count;
            double max = (double)(fold + 1) / count;
            yield return new(
                Drop(env, new RangeFilter(env, data, column, min, max, complement: true, includeMax: true), column),
                Drop(env, new RangeFilter(env, data, column, min, max, includeMax: true), column));
        }
    }

    private static IDataView Drop(IHostEnvironment env, IDataView data, string column) =>
        ColumnSelectingTransformer.CreateDrop(env, data, column);
}
