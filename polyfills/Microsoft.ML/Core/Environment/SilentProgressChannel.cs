namespace Microsoft.ML.Runtime;

/// <summary>Progress reaches nobody: an <c>MLContext</c> has no listener for it.</summary>
internal sealed class SilentProgressChannel : IProgressChannel
{
    public IProgressChannel StartProgressChannel(string name) => new SilentProgressChannel();

    public void SetHeader(ProgressHeader header, Action<IProgressEntry> fillAction)
    {
    }

    public void Checkpoint(params double?[] values)
    {
    }

    public void Dispose()
    {
    }
}
