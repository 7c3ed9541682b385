using System.Numerics.Tensors;

namespace Microsoft.ML.Numeric;

/// <summary>L-BFGS for a smooth function plus the sum of absolute coordinates: orthant-wise, after Andrew and Gao (2007).</summary>
internal sealed class OwlqnState : LbfgsState
{
    private const float SufficientDecrease = 1e-4f;
    private const float Shortening = 0.25f;
    private const int MostShortenings = 8;

    private readonly int _biasCount;
    private readonly float _weight;

    /// <param name="objective">The smooth part.</param>
    /// <param name="initial">Where to begin.</param>
    /// <param name="historySize">How many steps are remembered.</param>
    /// <param name="nonNegative">Whether no coordinate but the first may become negative.</param>
    /// <param name="biasCount">How many coordinates at the beginning count for nothing in the sum.</param>
    /// <param name="weight">What the sum is multiplied by.</param>
    public OwlqnState(Objective objective, float[] initial, int historySize, bool nonNegative, int biasCount, float weight)
        : base(objective, initial, historySize, nonNegative)
    {
        _biasCount = biasCount;
        _weight = weight;
        if (nonNegative)
            TensorPrimitives.Max(Point.AsSpan(biasCount), 0f, Point.AsSpan(biasCount));
    }

    public override bool Search(bool force)
    {
        float slope = -TensorPrimitives.Dot<float>(Direction, SteepestDescent);
        CheckDescent(slope);
        float step = FirstStep;
        float descent = Move(step);
        if (descent < 0)
        {
            // The memory of curvature turned some coordinates round, so far that it goes uphill: these stay.
            for (int i = _biasCount; i < Direction.Length; i++)
            {
                if (SteepestDescent[i] * Direction[i] < 0)
                    Direction[i] = 0;
            }

            descent = Move(step);
        }

        for (int count = 1; ; count++)
        {
            Value = Evaluate(NextPoint, NextGradient);
            if (Value <= LastValue - (SufficientDecrease * descent))
                return true;
            if (!force && count == MostShortenings)
                return false;
            step *= Shortening;
            descent = Move(step);
        }
    }

    protected override float Evaluate(float[] point, float[] gradient)
    {
        ReadOnlySpan<float> weighted = point.AsSpan(_biasCount);
        float sum = NonNegative ? TensorPrimitives.Sum(weighted) : TensorPrimitives.SumOfMagnitudes(weighted);
        return (_weight * sum) + Objective(point, gradient);
    }

    protected override void UpdateDirection()
    {
        for (int i = 0; i < Direction.Length; i++)
            SteepestDescent[i] = i < _biasCount ? -Gradient[i] : Descent(Point[i], Gradient[i]);
        SteepestDescent.CopyTo(Direction, 0);
        MapDirectionByInverseHessian();
        StopWhereDescentStops();
    }

    /// <summary>Against the subgradient nearest to zero.</summary>
    private float Descent(float x, float gradient)
    {
        if (NonNegative)
            return x > 0 ? -gradient - _weight : -MathF.Min(gradient + _weight, 0);
        if (x != 0)
            return x > 0 ? -gradient - _weight : -gradient + _weight;
        if (gradient < -_weight)
            return -gradient - _weight;
        return gradient > _weight ? -gradient + _weight : 0;
    }

    /// <summary>Takes the step, but does not cross zero; gives back how far it goes along the steepest descent.</summary>
    private float Move(float step)
    {
        TensorPrimitives.MultiplyAdd(Direction, step, Point, NextPoint);
        for (int i = _biasCount; i < NextPoint.Length; i++)
        {
            if (NonNegative ? NextPoint[i] < 0 : Point[i] * NextPoint[i] < 0)
                NextPoint[i] = 0;
        }

        return TensorPrimitives.Dot<float>(SteepestDescent, NextPoint) - TensorPrimitives.Dot<float>(SteepestDescent, Point);
    }
}
