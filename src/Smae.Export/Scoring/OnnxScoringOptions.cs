namespace Smae.Export;

/// <summary>How an ONNX file is run.</summary>
public sealed record OnnxScoringOptions
{
    /// <summary>Where it is computed. Default <see cref="OnnxDevice.Cpu"/>.</summary>
    public OnnxDevice Device { get; init; } = OnnxDevice.Cpu;

    /// <summary>Which GPU, counted from 0. Default 0.</summary>
    public int DeviceId { get; init; }

    /// <summary>
    /// What happens when <see cref="Device"/> cannot be used: true goes on with the CPU and tells why in <see cref="OnnxImageModel.FallbackReason"/>,
    /// false is an error. Default false.
    /// </summary>
    public bool FallbackToCpu { get; init; }

    /// <summary>
    /// Images at a time; a call with more is cut into batches. On a CPU each core takes some of a batch, a few at a time. Default 32.
    /// </summary>
    public int BatchSize { get; init; } = 32;

    /// <summary>
    /// Threads that a call uses on the CPU: for a batch each has images of its own, for fewer images than threads they share the work on each. Default
    /// null: one for each processor.
    /// </summary>
    public int? Threads { get; init; }

    /// <summary>
    /// Whether a black image and a batch of them are run when the file is opened, so that the first real ones take no longer than others. Default
    /// false.
    /// </summary>
    public bool WarmUp { get; init; }

    /// <summary>Which output is wanted; null is the main one, the first of <see cref="OnnxModelInfo.Outputs"/>. Default null.</summary>
    public string? OutputName { get; init; }

    /// <summary>Checks the options, and that a file has the output that they name.</summary>
    /// <param name="path">The file.</param>
    /// <param name="info">What it tells about itself.</param>
    /// <exception cref="ArgumentException">An option is out of range: the message names every one that is.</exception>
    public void Validate(string path, OnnxModelInfo info)
    {
        string[] faults = [.. Faults(), .. Faults(path, info)];
        if (faults.Length > 0) throw new ArgumentException(string.Join(" ", faults), "options");
    }

    internal IEnumerable<string> Faults()
    {
        if (!Enum.IsDefined(Device)) yield return $"Device is {Device}: expected one of {string.Join(", ", Enum.GetNames<OnnxDevice>())}.";
        if (DeviceId < 0) yield return $"DeviceId is {DeviceId}: expected 0 or more.";
        if (BatchSize < 1) yield return $"BatchSize is {BatchSize}: expected at least 1.";
        if (Threads < 1) yield return $"Threads is {Threads}: expected at least 1, or null.";
    }

    internal IEnumerable<string> Faults(string path, OnnxModelInfo info)
    {
        if (OutputName is not null && info.Outputs.All(o => o.Name != OutputName))
            yield return $"OutputName is '{OutputName}': {path} has {string.Join(", ", info.Outputs.Select(o => $"'{o.Name}'"))}.";
    }
}
