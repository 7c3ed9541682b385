using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>An exponential moving average of all weights that an optimiser holds: <c>average = decay * average + (1 - decay) * weights</c> after each step.</summary>
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
