using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>What random numbers are drawn for; each use has a stream of its own.</summary>
internal enum RandomUse
{
    /// <summary>The order of the images of an epoch; indexed by epoch.</summary>
    Order = 1,

    /// <summary>The hidden patches of a batch; indexed by step and part.</summary>
    Mask = 2,

    /// <summary>Augmentation of a batch; indexed by step and part.</summary>
    Augmentation = 3,

    /// <summary>Dropout and whatever else a model draws in its forward pass; indexed by step and part.</summary>
    Model = 4,

    /// <summary>Mixing of the images of a batch and their labels; indexed by step and part.</summary>
    Mixing = 5,

    /// <summary>Views of a batch that an objective asks for; indexed by step, part and view.</summary>
    View = 6,
}

/// <summary>
/// Random numbers that depend on nothing but a seed and where they are used (epoch, step): no state is carried from one to the next, so that a run
/// that stops and goes on draws the same numbers as one that never stopped.
/// </summary>
internal sealed class RandomStream(long seed) : IDisposable
{
    private readonly Generator _generator = new();

    /// <summary>A generator for one use at one place; the next call reseeds the same generator.</summary>
    public Generator At(RandomUse use, long index)
    {
        _generator.manual_seed(Mix(Mix(seed, (long)use), index));
        return _generator;
    }

    /// <summary>Random numbers on the CPU for one use at one place.</summary>
    public RandomSequence SequenceAt(RandomUse use, long index) => new(Mix(Mix(seed, (long)use), index));

    /// <summary>A number that looks like neither of two, not negative.</summary>
    public static long Mix(long a, long b) => (long)(new RandomSequence(unchecked((long)new RandomSequence(a).Next() + b)).Next() >> 1);

    public void Dispose() => _generator.Dispose();
}
