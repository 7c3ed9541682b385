using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>An objective at work in one run: makes losses, and holds whatever else the method trains or remembers.</summary>
public abstract class ObjectiveRun : IDisposable
{
    /// <summary>Parameters beside the model's that are trained too. Default none.</summary>
    public virtual IReadOnlyList<Parameter> Parameters => [];

    /// <summary>What a checkpoint must keep for this run to go on as if it had never stopped, under names of its own. Default none.</summary>
    public virtual IEnumerable<(string Name, Tensor Tensor)> State => [];

    /// <summary>The loss of a batch.</summary>
    /// <param name="images">Normalised images, <c>[batch, channels, height, width]</c>.</param>
    /// <param name="mask">Which patches are hidden.</param>
    /// <returns>A scalar, float32, with its graph.</returns>
    public abstract Tensor Loss(Tensor images, PatchMask mask);

    /// <summary>Frees what the run made for itself; the model stays.</summary>
    public virtual void Dispose() => GC.SuppressFinalize(this);
}
