using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>
/// AdamW (Loshchilov and Hutter 2019) with PyTorch's arithmetic over flat buffers: all parameters become views of one tensor and their gradients
/// of another, so that a step is a dozen operations on large tensors instead of dozens for each of a hundred small ones.
/// </summary>
public sealed class AdamW : IDisposable
{
    private readonly double _beta1;
    private readonly double _beta2;
    private readonly double _epsilon;
    private readonly Tensor _weights;
    private readonly Tensor _gradients;
    private readonly Tensor _mean;
    private readonly Tensor _variance;
    private readonly List<Segment> _segments = [];

    /// <summary>Takes over the parameters: from now on they and their gradients live in this optimiser's buffers.</summary>
    /// <param name="groups">The parameters; a group may be empty, not all of them.</param>
    /// <param name="beta1">Decay of the mean of gradients. Default 0.9.</param>
    /// <param name="beta2">Decay of the mean of squared gradients. Default 0.95, as in MAE.</param>
    /// <param name="epsilon">Added to the root of the squared mean. Default 1e-8.</param>
    /// <exception cref="ArgumentException">There is no parameter, or one is not float32.</exception>
    public AdamW(IReadOnlyList<ParameterGroup> groups, double beta1 = 0.9, double beta2 = 0.95, double epsilon = 1e-8)
    {
        (_beta1, _beta2, _epsilon) = (beta1, beta2, epsilon);
        Parameter[] parameters = [.. groups.SelectMany(g => g.Parameters)];
        if (parameters.Length == 0) throw new ArgumentException("There is no parameter to optimise.", nameof(groups));
        if (parameters.FirstOrDefault(p => p.dtype != ScalarType.Float32) is { } other)
            throw new ArgumentException($"A parameter is {other.dtype}: expected Float32.", nameof(groups));

        long count = parameters.Sum(p => p.numel());
        Device device = parameters[0].device;
        using DisposeScope scope = NewDisposeScope();
        using var noGrad = no_grad();
        _weights = zeros(count, ScalarType.Float32, device).DetachFromDisposeScope();
        _gradients = zeros(count, ScalarType.Float32, device).DetachFromDisposeScope();
        _mean = zeros(count, ScalarType.Float32, device).DetachFromDisposeScope();
        _variance = zeros(count, ScalarType.Float32, device).DetachFromDisposeScope();

        long offset = 0;
        foreach (ParameterGroup group in groups.Where(g => g.Parameters.Count > 0))
        {
            long start = offset;
            foreach (Parameter parameter in group.Parameters)
            {
                long size = parameter.numel();
                Tensor place = _weights.narrow(0, offset, size).view(parameter.shape);
                place.copy_(parameter);
                parameter.set_(place);
                parameter.grad = _gradients.narrow(0, offset, size).view(parameter.shape);
                offset += size;
            }
            _segments.Add(new Segment(_weights.narrow(0, start, offset - start).DetachFromDisposeScope(), start, offset - start, group));
        }
    }

    /// <summary>Steps taken; set it together with <see cref="State"/> to go on from a checkpoint.</summary>
    public long StepCount { get; set; }

    /// <summary>All weights, one after the other.</summary>
    internal Tensor Weights => _weights;

    /// <summary>The moments, as a checkpoint keeps them.</summary>
    public IEnumerable<(string Name, Tensor Tensor)> State => [("mean", _mean), ("variance", _variance)];

    /// <summary>Scales the gradients down if their norm, taken over all of them, is larger than a limit.</summary>
    /// <param name="maxNorm">The limit.</param>
    /// <returns>The norm before.</returns>
    public double ClipGradients(double maxNorm)
    {
        using DisposeScope scope = NewDisposeScope();
        using var noGrad = no_grad();
        double norm = _gradients.square().sum().sqrt().ToDouble();
        if (norm > maxNorm) _gradients.mul_(maxNorm / (norm + 1e-6));   // the epsilon of torch.nn.utils.clip_grad_norm_
        return norm;
    }

    /// <summary>Sets all gradients to zero.</summary>
    public void ZeroGrad() => _gradients.zero_();

    /// <summary>Changes the parameters by their gradients.</summary>
    /// <param name="learningRate">The learning rate of this step, before a group's own scale.</param>
    public void Step(double learningRate)
    {
        StepCount++;
        using DisposeScope scope = NewDisposeScope();
        using var noGrad = no_grad();
        _mean.mul_(_beta1).add_(_gradients, 1 - _beta1);
        _variance.mul_(_beta2).addcmul_(_gradients, _gradients, 1 - _beta2);
        Tensor root = _variance.sqrt().div_(Math.Sqrt(1 - Math.Pow(_beta2, StepCount))).add_(_epsilon);
        double correction = 1 - Math.Pow(_beta1, StepCount);
        foreach (Segment segment in _segments)
        {
            double rate = learningRate * segment.Group.LearningRateScale;
            if (segment.Group.WeightDecay != 0) segment.Weights.mul_(1 - rate * segment.Group.WeightDecay);
            segment.Weights.addcdiv_(_mean.narrow(0, segment.Start, segment.Length), root.narrow(0, segment.Start, segment.Length), -rate / correction);
        }
    }

    /// <summary>Frees the moments and this optimiser's hold on weights and gradients; the parameters keep their values.</summary>
    public void Dispose()
    {
        foreach (Segment segment in _segments) segment.Weights.Dispose();
        foreach (Tensor buffer in (Tensor[])[_weights, _gradients, _mean, _variance]) buffer.Dispose();
    }

    /// <summary>A group's stretch of the flat buffers.</summary>
    private sealed record Segment(Tensor Weights, long Start, long Length, ParameterGroup Group);
}
