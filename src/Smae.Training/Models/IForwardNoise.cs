namespace Smae.Training;

/// <summary>A model whose dropout draws from a source that a training step sets: what it drops follows from seed and step alone.</summary>
internal interface IForwardNoise
{
    ForwardNoise Noise { get; }
}
