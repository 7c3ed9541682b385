using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML;

public sealed partial class DataOperationsCatalog
{
    public IDataView FilterRowsByColumn(
        IDataView input, string columnName, double lowerBound = double.NegativeInfinity, double upperBound = double.PositiveInfinity)
    {
        _env.CheckValue(input, nameof(input));
        _env.CheckNonEmpty(columnName, nameof(columnName));
        _env.CheckParam(lowerBound < upperBound, nameof(upperBound), "Must be greater than lowerBound");
        DataViewType type = input.Schema[columnName].Type;
        if (type is not NumberDataViewType)
            throw _env.ExceptSchemaMismatch(nameof(columnName), "filter", columnName, "number", type.ToString());
        return new RangeFilter(_env, input, columnName, lowerBound, upperBound, includeMax: false);
    }

    public IDataView FilterRowsByKeyColumnFraction(IDataView input, string columnName, double lowerBound = 0, double upperBound = 1)
    {
        _env.CheckValue(input, nameof(input));
        _env.CheckNonEmpty(columnName, nameof(columnName));
        _env.CheckParam(lowerBound is >= 0 and <= 1, nameof(lowerBound), "Must be in [0, 1]");
        _env.CheckParam(upperBound is >= 0 and <= 1, nameof(upperBound), "Must be in [0, 1]");
        _env.CheckParam(lowerBound <= upperBound, nameof(upperBound), "Must be no less than lowerBound");
        DataViewType type = input.Schema[columnName].Type;
        if (type.GetKeyCount() == 0)
            throw _env.ExceptSchemaMismatch(nameof(columnName), "filter", columnName, "KeyType", type.ToString());
        return new RangeFilter(_env, input, columnName, lowerBound, upperBound, includeMax: false);
    }

    public IDataView FilterRowsByMissingValues(IDataView input, params string[] columns)
    {
        _env.CheckValue(input, nameof(input));
        _env.CheckUserArg(columns is { Length: > 0 }, nameof(columns));
        return new MissingValueFilter(_env, input, columns);
    }

    public IDataView ShuffleRows(IDataView input, int? seed = null, int shufflePoolSize = 1000, bool shuffleSource = true)
    {
        _env.CheckValue(input, nameof(input));
        _env.CheckUserArg(shufflePoolSize > 0, nameof(shufflePoolSize), "Must be positive");
        return new RowShufflingTransformer(_env, input, shufflePoolSize, shuffleSource, seed);
    }

    public IDataView SkipRows(IDataView input, long count)
    {
        _env.CheckValue(input, nameof(input));
        _env.CheckUserArg(count > 0, nameof(count), "Must be greater than zero.");
        return new SkipTakeFilter(_env, input, count, long.MaxValue);
    }

    public IDataView TakeRows(IDataView input, long count)
    {
        _env.CheckValue(input, nameof(input));
        _env.CheckUserArg(count > 0, nameof(count), "Must be greater than zero.");
        return new SkipTakeFilter(_env, input, 0, count);
    }

    public TrainTestData TrainTestSplit(IDataView data, double testFraction = 0.1, string samplingKeyColumnName = null, int? seed = null)
    {
        _env.CheckValue(data, nameof(data));
        _env.CheckParam(testFraction is > 0 and < 1, nameof(testFraction), "Must be between 0 and 1 exclusive");
        string column = SplitColumn.Add(_env, ref data, samplingKeyColumnName, seed);
        return SplitColumn.Split(_env, data, column, testFraction);
    }

    public IReadOnlyList<TrainTestData> CrossValidationSplit(
        IDataView data, int numberOfFolds = 5, string samplingKeyColumnName = null, int? seed = null)
    {
        _env.CheckValue(data, nameof(data));
        _env.CheckParam(numberOfFolds > 1, nameof(numberOfFolds), "Must be more than 1");
        string column = SplitColumn.Add(_env, ref data, samplingKeyColumnName, seed);
        return [.. SplitColumn.Folds(_env, data, column, numberOfFolds)];
    }

    /// <summary>Two parts of a data view.</summary>
    public struct TrainTestData
    {
        public readonly IDataView TrainSet;
        public readonly IDataView TestSet;

        internal TrainTestData(IDataView trainSet, IDataView testSet)
        {
            TrainSet = trainSet;
            TestSet = testSet;
        }
    }
}
