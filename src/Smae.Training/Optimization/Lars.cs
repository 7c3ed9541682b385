using TorchSharp.Modules;

namespace Smae.Training;

/// <summary>
/// LARS (You et al. 2017) as in facebookresearch/mae's <c>util/lars.py</c>, for linear probing: momentum without damping; the gradient of a tensor of two and
/// more dimensions, weight decay added, is first brought to <c>trust * norm of the weights / norm of the gradient</c>.
/// </summary>
public sealed class Lars : Optimizer
{
    private readonly double _momentum;
    private readonly double _trust;
    private readonly Tensor _velocity;

    /// <summary>Takes over the parameters: from now on they and their gradients live in this optimiser's buffers.</summary>
    /// <param name="groups">The parameters; a group may be empty, not all of them.</param>
    /// <param name="momentum">Decay of the sum of gradients. Default 0.9.</param>
    /// <exception cref="ArgumentException">There is no parameter, or one is not float32.</exception>
    public Lars(IReadOnlyList<ParameterGroup> groups, double momentum = 0.9, double trust = 0.001) : base(groups)
    {
        (_momentum, _trust) = (momentum, trust);
        _velocity = NewBuffer();
    }

    /// <summary>The momentum, as a checkpoint keeps it.</summary>
    public override IEnumerable<(string Name, Tensor Tensor)> State => [("velocity", _velocity)];

    private protected override void Update(double learningRate)
    {
        _velocity.MultiplyInPlace(_momentum);
        foreach (Segment segment in TrainedSegments)
        {
            long offset = segment.Start;
            double decay = WeightDecayOf(segment.Group);
            foreach (Parameter parameter in segment.Group.Parameters)
            {
                long size = parameter.numel();
                Tensor weights = Weights.narrow(0, offset, size), gradient = Gradients.narrow(0, offset, size);
                if (parameter.dim() > 1)
                {
                    if (decay != 0) gradient = gradient.Plus(weights, times: decay);
                    Tensor weightNorm = weights.norm(), gradientNorm = gradient.norm(), ratio = weightNorm.Times(_trust).div(gradientNorm);
                    gradient = gradient.mul(where(weightNorm.IsAbove(0).logical_and(gradientNorm.IsAbove(0)), ratio, ones_like(ratio)));
                }
                _velocity.narrow(0, offset, size).AddInPlace(gradient);
                offset += size;
            }
            segment.Weights.sub_(_velocity.narrow(0, segment.Start, segment.Length).Times(learningRate * segment.Group.LearningRateScale));
        }
    }
}
