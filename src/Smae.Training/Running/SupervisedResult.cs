namespace Smae.Training;

/// <summary>What training on labels gave. Whoever asked for it disposes <see cref="Model"/>.</summary>
/// <typeparam name="TModel">The kind of model.</typeparam>
public sealed class SupervisedResult<TModel> where TModel : IDisposable
{
    internal SupervisedResult(TModel model, SupervisedRun run) =>
        (Model, History, Best, Elapsed, ImagesPerSecond) = (model, run.History, run.Best, run.Elapsed, run.ImagesPerSecond);

    /// <summary>The trained model, in evaluation mode.</summary>
    public TModel Model { get; }

    /// <summary>Loss and speed of every epoch, and how the model did on the validation images.</summary>
    public IReadOnlyList<EpochSummary> History { get; }

    /// <summary>The epoch that did best on the validation images; null without them.</summary>
    public EpochSummary? Best { get; }

    /// <summary>How long training took since it began or went on, evaluation included, decoding not.</summary>
    public TimeSpan Elapsed { get; }

    /// <summary>
    /// Images trained on a second, over the steps since the run began or went on; 0 if none was left to do.
    /// </summary>
    public double ImagesPerSecond { get; }
}
