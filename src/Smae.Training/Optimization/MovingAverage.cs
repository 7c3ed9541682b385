using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>The exponential moving average of weights, of a teacher that follows its student or of a run's own (<see cref="WeightAverage"/>).</summary>
internal static class MovingAverage
{
    /// <summary><c>average = momentum * average + (1 - momentum) * weights</c>; a momentum of 0 copies.</summary>
    /// <param name="averages">The tensors that follow.</param>
    /// <param name="weights">Those that are followed, in the same order and of the same shapes.</param>
    /// <param name="momentum">What the averages keep of themselves, in [0, 1].</param>
    public static void Update(IEnumerable<Tensor> averages, IEnumerable<Tensor> weights, double momentum)
    {
        using DisposeScope scope = NewDisposeScope();
        using var noGrad = no_grad();
        foreach ((Tensor average, Tensor weight) in averages.Zip(weights)) average.mul_(momentum).add_(weight, 1 - momentum);
    }
}
