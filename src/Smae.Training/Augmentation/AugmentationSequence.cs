using System.Text;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>Augmentations one after the other.</summary>
internal sealed record AugmentationSequence : Augmentation
{
    private readonly Augmentation[] _steps;

    public AugmentationSequence(Augmentation[] steps)
    {
        if (Array.IndexOf(steps, null) >= 0) throw new ArgumentException("One of the augmentations is null.", nameof(steps));
        _steps = [.. steps.SelectMany(s => s is AugmentationSequence inner ? inner._steps : [s])];
    }

    public bool Equals(AugmentationSequence? other) => other is not null && _steps.AsSpan().SequenceEqual(other._steps);

    public override int GetHashCode() => _steps.Aggregate(0, HashCode.Combine);

    private protected override Tensor Transform(Tensor images, RandomSequence random)
    {
        Tensor current = images;
        foreach (Augmentation step in _steps)
        {
            Tensor next = step.Apply(current, random);
            if (!ReferenceEquals(current, images)) current.Dispose();
            current = next;
        }
        return current;
    }

    protected override bool PrintMembers(StringBuilder builder)
    {
        builder.AppendJoin(", ", _steps.AsEnumerable());
        return _steps.Length > 0;
    }
}
