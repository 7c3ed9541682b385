namespace Microsoft.ML.Runtime;

/// <summary>What a computation fills in when asked how far it is.</summary>
public interface IProgressEntry
{
    void SetProgress(int index, double value);

    void SetProgress(int index, double value, double lim);

    void SetMetric(int index, double value);
}
