namespace Smae.Training;

/// <summary>AdamW (Loshchilov and Hutter 2019) with PyTorch's arithmetic. Where no group decays it is Adam (Kingma and Ba 2015).</summary>
public sealed class AdamW : Optimizer
{
    private readonly double _beta1;
    private readonly double _beta2;
    private readonly double _epsilon;
    private readonly Tensor _mean;
    private readonly Tensor _variance;

    /// <summary>Takes over the parameters: from now on they and their gradients live in this optimiser's buffers.</summary>
    /// <param name="groups">The parameters; a group may be empty, not all of them.</param>
    /// <param name="beta1">Decay of the mean of gradients. Default 0.9.</param>
    /// <param name="beta2">Decay of the mean of squared gradients. Default 0.95, as in MAE.</param>
    /// <param name="epsilon">Added to the root of the squared mean. Default 1e-8.</param>
    /// <exception cref="ArgumentException">There is no parameter, or one is not float32.</exception>
    public AdamW(IReadOnlyList<ParameterGroup> groups, double beta1 = 0.9, double beta2 = 0.95, double epsilon = 1e-8) : base(groups)
    {
        (_beta1, _beta2, _epsilon) = (beta1, beta2, epsilon);
        (_mean, _variance) = (NewBuffer(), NewBuffer());
    }

    /// <summary>The moments, as a checkpoint keeps them.</summary>
    public override IEnumerable<(string Name, Tensor Tensor)> State => [("mean", _mean), ("variance", _variance)];

    private protected override void Update(double learningRate)
    {
        _mean.MultiplyInPlace(_beta1).AddInPlace(Gradients, times: 1 - _beta1);
        _variance.MultiplyInPlace(_beta2).AddProductInPlace(Gradients, Gradients, times: 1 - _beta2);
        foreach (Segment segment in TrainedSegments)   // the moments of others are zero, as their gradients are
        {
            long steps = segment.Group.FrozenSteps == 0 ? StepCount : StepCount - ExtraSteps - segment.Group.FrozenSteps;
            double rate = learningRate * segment.Group.LearningRateScale, kept = 1 - rate * WeightDecayOf(segment.Group);
            if (kept != 1) segment.Weights.MultiplyInPlace(kept);
            Tensor mean = _mean.narrow(0, segment.Start, segment.Length), root = _variance.narrow(0, segment.Start, segment.Length).sqrt();
            Tensor divisor = root.DivideInPlace(Math.Sqrt(1 - Math.Pow(_beta2, steps))).AddInPlace(_epsilon);
            segment.Weights.AddQuotientInPlace(mean, divisor, times: -rate / (1 - Math.Pow(_beta1, steps)));
        }
    }
}
