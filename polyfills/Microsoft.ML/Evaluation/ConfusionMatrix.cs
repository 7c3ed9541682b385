using System.Collections.Immutable;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>How often each class was taken for each.</summary>
public sealed class ConfusionMatrix
{
    private readonly IReadOnlyList<string> _names;
    private string _formatted;

    internal ConfusionMatrix(double[][] counts, IReadOnlyList<string> names)
    {
        _names = names;
        NumberOfClasses = counts.Length;
        Counts = [.. counts.Select(row => (IReadOnlyList<double>)row.ToImmutableArray())];
        PerClassRecall = [.. counts.Select((row, k) => Ratio(row[k], row.Sum()))];
        PerClassPrecision = [.. counts.Select((row, k) => Ratio(row[k], counts.Sum(r => r[k])))];
    }

    public IReadOnlyList<double> PerClassPrecision { get; }

    public IReadOnlyList<double> PerClassRecall { get; }

    /// <summary>Outer: the true class; inner: the predicted one.</summary>
    public IReadOnlyList<IReadOnlyList<double>> Counts { get; }

    public int NumberOfClasses { get; }

    public string GetFormattedConfusionTable() => _formatted ??= ConfusionTableText.Format(this, _names);

    public double GetCountForClassPair(int predictedClassIndicatorIndex, int actualClassIndicatorIndex)
    {
        const string Message = "Invalid index. Should be non-negative, less than the number of classes.";
        Contracts.CheckParam(IsClass(predictedClassIndicatorIndex), nameof(predictedClassIndicatorIndex), Message);
        Contracts.CheckParam(IsClass(actualClassIndicatorIndex), nameof(actualClassIndicatorIndex), Message);
        return Counts[actualClassIndicatorIndex][predictedClassIndicatorIndex];
    }

    private static double Ratio(double part, double whole) => whole > 0 ? part / whole : 0;

    private bool IsClass(int index) => index >= 0 && index < NumberOfClasses;
}
