using static TorchSharp.torch;

namespace Smae.Training.Tests;

/// <summary>Objectives asked for a loss outside of a run.</summary>
internal static class ObjectiveExtensions
{
    /// <summary>Begins on the CPU with default options for the model.</summary>
    public static ObjectiveRun Begin(this Objective objective, MaskedAutoencoder model) =>
        objective.Begin(model, TinyModels.Options with { Encoder = model.Config, Decoder = model.DecoderConfig, Objective = objective }, CPU);

    /// <summary>The loss of a batch that the run is told of first, as in pretraining.</summary>
    public static Tensor Loss(this ObjectiveRun run, Tensor images, PatchMask mask)
    {
        var batch = new GivenBatch(images, mask);
        using (no_grad()) run.BatchReady(batch);
        return run.Loss(batch);
    }
}
