using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML;

/// <summary>Looks at the first rows, for a debugger.</summary>
public static class DebuggerExtensions
{
    public static DataDebuggerPreview Preview(this IDataView data, int maxRows = 100) => new(data, maxRows);

    public static DataDebuggerPreview Preview(this ITransformer transformer, IDataView data, int maxRows = 100) =>
        new(transformer.Transform(data), maxRows);

    public static DataDebuggerPreview Preview(
        this IEstimator<ITransformer> estimator, IDataView data, int maxRows = 100, int maxTrainingRows = 100)
    {
        Contracts.CheckValue(estimator, nameof(estimator));
        Contracts.CheckValue(data, nameof(data));
        Contracts.CheckParam(maxRows >= 0, nameof(maxRows));
        Contracts.CheckParam(maxTrainingRows >= 0, nameof(maxTrainingRows));
        var trainingData = new SkipTakeFilter(new LocalEnvironment(), data, 0, maxTrainingRows);
        return new DataDebuggerPreview(estimator.Fit(trainingData).Transform(data), maxRows);
    }
}
