using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>Does an augmentation to some images of a batch, drawn one by one, and leaves the others as they are.</summary>
internal sealed record RandomApply(Augmentation Augmentation, double Probability) : Augmentation
{
    public Augmentation Augmentation { get; } = Augmentation ?? throw new ArgumentNullException(nameof(Augmentation));

    public double Probability { get; } = Within(Probability, 0, 1);

    private protected override Tensor Transform(Tensor images, RandomSequence random)
    {
        long[] drawn = [.. Enumerable.Range(0, (int)images.size(0)).Where(_ => random.Chance(Probability)).Select(i => (long)i)];
        if (drawn.Length == 0) return images;
        if (drawn.Length == images.size(0)) return Augmentation.Apply(images, random);
        Tensor places = tensor(drawn, device: images.device);
        return images.clone().index_copy_(0, places, Augmentation.Apply(images.index_select(0, places), random));
    }
}
