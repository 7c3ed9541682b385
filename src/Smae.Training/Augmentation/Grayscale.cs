using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>Makes images grey, in all their channels.</summary>
internal sealed record Grayscale : Augmentation
{
    /// <param name="images">The images, of 1 or 3 channels.</param>
    public static Tensor Of(Tensor images) => ColorOperations.Grey(images).expand_as(images).contiguous();

    private protected override Tensor Transform(Tensor images, RandomSequence random)
    {
        ColorOperations.CheckChannels(images);
        return Of(images);
    }
}
