namespace Microsoft.ML.Runtime;

/// <summary>Reports the progress of one computation.</summary>
public interface IProgressChannel : IProgressChannelProvider, IDisposable
{
    void SetHeader(ProgressHeader header, Action<IProgressEntry> fillAction);

    void Checkpoint(params double?[] values);
}
