using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>Mirrors images left to right.</summary>
internal sealed record HorizontalFlip(double Probability) : Augmentation
{
    public double Probability { get; } = Within(Probability, 0, 1);

    private protected override Tensor Transform(Tensor images, RandomSequence random)
    {
        var flipped = new bool[images.size(0)];
        for (int i = 0; i < flipped.Length; i++) flipped[i] = random.Chance(Probability);
        return flipped.Contains(true) ? where(tensor(flipped, [flipped.Length, 1, 1, 1], device: images.device), images.flip(3), images) : images;
    }
}
