using Microsoft.ML.Runtime;

namespace Microsoft.ML.Numeric;

/// <summary>A line search for the strong Wolfe conditions: doubles the step to find an interval, then narrows that by cubic interpolation.</summary>
/// <remarks>After Nocedal and Wright, Numerical Optimization, algorithms 3.5 and 3.6, with the constants of ML.NET.</remarks>
internal sealed class WolfeSearch(Func<float, (float Value, float Slope)> tryStep, float startValue, float[] currentPoint)
{
    private const float SufficientDecrease = 1e-4f;
    private const float SufficientFlatness = 0.9f;
    private const float SmallestPartOfInterval = 0.01f;
    private const int MostNarrowings = 10;

    private float _decrease;
    private float _flatness;

    public bool Run(float startSlope, float step, bool force)
    {
        _decrease = SufficientDecrease * startSlope;
        _flatness = -SufficientFlatness * startSlope;
        Trial previous = new(0, startValue, startSlope);
        while (true)
        {
            Trial trial = Try(step);
            if (float.IsPositiveInfinity(trial.Value))
            {
                step /= 2;
                continue;
            }

            CheckFinite(trial);
            if (IsTooHigh(trial) || (previous.Step > 0 && trial.Value >= previous.Value))
                return Narrow(previous, trial, force);
            if (IsFlat(trial))
                return true;
            if (trial.Slope >= 0)
                return Narrow(trial, previous, force);
            previous = trial;
            step = step == 0 ? float.Epsilon : step * 2;
        }
    }

    private static float Interpolate(Trial low, Trial high)
    {
        Trial left = low.Step < high.Step ? low : high;
        Trial right = low.Step < high.Step ? high : low;
        float step;
        if (left.Slope > 0 && right.Slope < 0)
        {
            // The cubic would have its maximum inside, not its minimum.
            step = low.Value < high.Value ? low.Step : high.Step;
        }
        else
        {
            step = CubicMinimum(low, high);
            if (!float.IsFinite(step))
                step = (low.Step + high.Step) / 2;
        }

        float most = (SmallestPartOfInterval * left.Step) + ((1 - SmallestPartOfInterval) * right.Step);
        float least = (SmallestPartOfInterval * right.Step) + ((1 - SmallestPartOfInterval) * left.Step);
        return MathF.Max(MathF.Min(step, most), least);
    }

    /// <summary>Where the cubic through both values and slopes has its minimum.</summary>
    private static float CubicMinimum(Trial a, Trial b)
    {
        double d1 = a.Slope + b.Slope - (3 * (a.Value - b.Value) / (a.Step - b.Step));
        double d2 = Math.Sign(b.Step - a.Step) * Math.Sqrt((d1 * d1) - (a.Slope * b.Slope));
        return (float)(b.Step - ((b.Step - a.Step) * (b.Slope + d2 - d1) / (b.Slope - a.Slope + (2 * d2))));
    }

    private static void CheckFinite(Trial trial)
    {
        if (!float.IsFinite(trial.Value))
            throw Contracts.Except($"Optimizer unable to proceed with loss function yielding {trial.Value}");
    }

    private bool Narrow(Trial low, Trial high, bool force)
    {
        for (int count = 0; force || count < MostNarrowings; count++)
        {
            Trial trial = Try(Interpolate(low, high));
            CheckFinite(trial);
            if (IsTooHigh(trial) || trial.Value >= low.Value)
            {
                if (high.Step == trial.Step)
                    return GiveUp(force);
                high = trial;
                continue;
            }

            if (IsFlat(trial))
                return true;
            if (trial.Slope * (high.Step - low.Step) >= 0)
                high = low;
            if (low.Step == trial.Step)
                return GiveUp(force);
            low = trial;
        }

        return false;
    }

    private bool GiveUp(bool force) =>
        force ? throw new PrematureConvergenceException(currentPoint, "Step size interval numerically zero.") : false;

    private Trial Try(float step)
    {
        (float value, float slope) = tryStep(step);
        return new Trial(step, value, slope);
    }

    private bool IsTooHigh(Trial trial) => trial.Value > startValue + (_decrease * trial.Step);

    private bool IsFlat(Trial trial) => MathF.Abs(trial.Slope) <= _flatness;

    private readonly record struct Trial(float Step, float Value, float Slope);
}
