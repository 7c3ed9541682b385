using static TorchSharp.torch;

namespace Smae.Training.Tests;

/// <summary>A batch of images and a mask that a test made, to ask an objective for its loss outside of a run.</summary>
/// <param name="images">Normalised images, <c>[batch, channels, height, width]</c>.</param>
/// <param name="mask">Which patches are hidden; null for objectives that hide none.</param>
/// <param name="position">Where the step stands; the default is that of a run of one step.</param>
/// <param name="views">The images seen in other ways, by index; null for objectives that ask for none.</param>
internal sealed class GivenBatch(Tensor images, PatchMask? mask = null, TrainingPosition? position = null, IReadOnlyList<Tensor>? views = null)
    : PretrainBatch(
        position ?? new TrainingPosition(0, 1, 0, 1), (int)images.size(0), () => images,
        () => mask ?? throw new InvalidOperationException("The test gave no mask."),
        (index, _) => views is null ? throw new InvalidOperationException("The test gave no views.") : views[index]);
