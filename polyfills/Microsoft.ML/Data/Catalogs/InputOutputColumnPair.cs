using Microsoft.ML.Runtime;

namespace Microsoft.ML;

/// <summary>The column that a transform makes, and the one that it makes it from.</summary>
public sealed class InputOutputColumnPair
{
    public InputOutputColumnPair(string outputColumnName, string inputColumnName = null)
    {
        Contracts.CheckNonEmpty(outputColumnName, nameof(outputColumnName));
        InputColumnName = inputColumnName ?? outputColumnName;
        OutputColumnName = outputColumnName;
    }

    public string InputColumnName { get; }

    public string OutputColumnName { get; }

    internal static (string outputColumnName, string inputColumnName)[] ConvertToValueTuples(InputOutputColumnPair[] infos) =>
        [.. infos.Select(i => (i.OutputColumnName, i.InputColumnName))];
}
