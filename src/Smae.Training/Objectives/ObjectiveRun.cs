using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>An objective at work in one run: makes losses, and holds whatever else the method trains or remembers.</summary>
public abstract class ObjectiveRun : IDisposable
{
    /// <summary>
    /// Parameters beside the model's that are trained too; weight decay is for those of two and more dimensions. Default none.
    /// </summary>
    public virtual IReadOnlyList<Parameter> Parameters => [];

    /// <summary>
    /// Epochs at the start of the run in which a parameter is left as it is: no gradient, no weight decay, no moments. Default 0.
    /// </summary>
    /// <param name="parameter">One of <see cref="Parameters"/>.</param>
    public virtual int FrozenEpochs(Parameter parameter) => 0;

    /// <summary>What a checkpoint must keep for this run to go on as if it had never stopped, under names of its own. Default none.</summary>
    public virtual IEnumerable<(string Name, Tensor Tensor)> State => [];

    /// <summary>
    /// Whether, as things stand, the loss of a batch is the mean of the losses of its images, and <see cref="Loss"/> may be called for some of them on
    /// several threads at once: on a CPU a step is faster then. Such an objective asks for no <see cref="PretrainBatch.View"/>. Default false.
    /// </summary>
    public virtual bool IsMeanOverImages => false;

    /// <summary>
    /// Told of each batch before its loss is asked for, as a whole or image by image: what must be seen of all images together is looked at here. It is
    /// called without gradients and in a dispose scope of its own. Default nothing.
    /// </summary>
    /// <param name="batch">The batch, or the part of one where gradients are accumulated.</param>
    public virtual void BatchReady(PretrainBatch batch)
    {
    }

    /// <summary>The loss of a batch, or of a part of one where gradients are accumulated.</summary>
    /// <param name="batch">The images and whatever else the run draws for the step.</param>
    /// <returns>A scalar, float32, with its graph.</returns>
    public abstract Tensor Loss(PretrainBatch batch);

    /// <summary>
    /// Told when a step's gradients are whole, before they are clipped and used: it may change them in place. Like the hooks below it is called
    /// without gradients and in a dispose scope of its own. Default nothing.
    /// </summary>
    /// <param name="position">The step.</param>
    public virtual void GradientsReady(TrainingPosition position)
    {
    }

    /// <summary>Told when a step has changed the weights. Default nothing.</summary>
    /// <param name="position">The step.</param>
    public virtual void StepEnded(TrainingPosition position)
    {
    }

    /// <summary>Told when an epoch is over. Default nothing.</summary>
    /// <param name="position">The epoch's last step.</param>
    public virtual void EpochEnded(TrainingPosition position)
    {
    }

    /// <summary>Told when the run is over, a last chance to change the model; what it does is in no checkpoint. Default nothing.</summary>
    public virtual void RunEnded()
    {
    }

    /// <summary>Frees what the run made for itself; the model stays.</summary>
    public virtual void Dispose() => GC.SuppressFinalize(this);
}
