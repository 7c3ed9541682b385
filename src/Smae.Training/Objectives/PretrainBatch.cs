using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>
/// What a step of pretraining gives its objective. All of it is made when it is first asked for, so a method costs what it uses; it holds until the
/// loss is made.
/// </summary>
public abstract class PretrainBatch
{
    /// <summary>Where the step stands in the run.</summary>
    public abstract TrainingPosition Position { get; }

    /// <summary>The images with the run's own augmentation, normalised: <c>[batch, channels, height, width]</c>, float32.</summary>
    public abstract Tensor Images { get; }

    /// <summary>Which patches of each image are hidden, drawn by the run's masking.</summary>
    public abstract PatchMask Mask { get; }

    /// <summary>The same images seen another way: from the stored pixels, without the run's own augmentation.</summary>
    /// <param name="index">
    /// Which view, from 0: each draws random numbers of its own, and the same view of a step is the same whenever it is made.
    /// </param>
    /// <param name="augmentation">What is done to the images, on a scale of 0 to 1, before they are normalised. It may change their size.</param>
    /// <returns><c>[batch, channels, height, width]</c>, float32, normalised; made anew at every call.</returns>
    public abstract Tensor View(int index, Augmentation augmentation);
}
