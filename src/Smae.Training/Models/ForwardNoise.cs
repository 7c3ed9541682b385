using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>
/// The random numbers of a model's forward pass, dropout and drop path. All blocks of a model share one; a training step sets its generator, so that what is
/// dropped follows from seed and step alone.
/// </summary>
internal sealed class ForwardNoise
{
    private readonly ThreadLocal<Generator?> _generator = new();

    /// <summary>The source, of each thread its own; null is libtorch's own.</summary>
    public Generator? Generator
    {
        get => _generator.Value;
        set => _generator.Value = value;
    }

    /// <summary>Drops single numbers with a probability and scales up the others.</summary>
    public Tensor Dropout(Tensor x, double probability) => probability == 0 ? x : x * Keep(x.shape, probability, x);

    /// <summary>Drops a residual branch of whole images with a probability and scales up the others (stochastic depth, Huang et al. 2016).</summary>
    /// <param name="branch"><c>[batch, tokens, dim]</c>.</param>
    /// <param name="probability">The probability.</param>
    public Tensor DropPath(Tensor branch, double probability) => probability == 0 ? branch : branch * Keep([branch.size(0), 1, 1], probability, branch);

    private Tensor Keep(long[] shape, double probability, Tensor like)
    {
        using var noGrad = no_grad();
        Tensor keep = empty(shape, ScalarType.Float32).bernoulli_(1 - probability, Generator).div_(1 - probability);
        return keep.to(like.dtype, like.device);
    }
}
