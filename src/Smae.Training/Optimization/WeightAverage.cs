namespace Smae.Training;

/// <summary>The exponential moving average of weights, of a teacher that follows its student or of a run's own (<see cref="WeightAverage"/>).</summary>
internal static class MovingAverage
{
    /// <summary><c>average = momentum * average + (1 - momentum) * weights</c>; a momentum of 0 copies.</summary>
    /// <param name="weights">Those that are followed, in the same order and of the same shapes.</param>
    public static void Update(IEnumerable<Tensor> averages, IEnumerable<Tensor> weights, double momentum)
    {
        using DisposeScope scope = NewDisposeScope();
        using var noGrad = no_grad();
        foreach ((Tensor average, Tensor weight) in averages.Zip(weights)) average.MultiplyInPlace(momentum).AddInPlace(weight, times: 1 - momentum);
    }
}

/// <summary>The moving average of all weights that an optimiser holds, updated after each step.</summary>
internal sealed class WeightAverage : IDisposable
{
    private readonly Tensor _weights;
    private readonly Tensor _average;
    private readonly double _decay;

    public WeightAverage(Optimizer optimizer, double decay)
    {
        using var noGrad = no_grad();
        (_weights, _decay) = (optimizer.Weights, decay);
        _average = _weights.clone().DetachFromDisposeScope();
    }

    public (string Name, Tensor Tensor) State => ("average", _average);

    public void Update() => MovingAverage.Update([_average], [_weights], _decay);

    /// <summary>Exchanges average and weights: before an evaluation and after it.</summary>
    public void Swap()
    {
        using DisposeScope scope = NewDisposeScope();
        using var noGrad = no_grad();
        Tensor weights = _weights.clone();
        _weights.copy_(_average);
        _average.copy_(weights);
    }

    /// <summary>Makes the average the weights: the end of a run.</summary>
    public void Adopt()
    {
        using var noGrad = no_grad();
        _weights.copy_(_average);
    }

    public void Dispose() => _average.Dispose();
}
