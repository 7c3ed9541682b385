namespace Smae.Training;

/// <summary>
/// A number for each step, such as the learning rate: a linear rise from 0, then half a cosine down, by iteration (facebookresearch/mae,
/// <c>lr_sched.py</c>). Without a rise it may as well go up.
/// </summary>
/// <param name="Peak">The number at the end of the rise.</param>
/// <param name="WarmupSteps">Steps of the rise.</param>
/// <param name="TotalSteps">All steps.</param>
/// <param name="Minimum">The number at the end, which the step after the last would have. Default 0.</param>
public sealed record CosineSchedule(double Peak, double WarmupSteps, double TotalSteps, double Minimum = 0)
{
    /// <summary>
    /// Whether the last step of the rise has <see cref="Peak"/> already, so that it comes twice, as in facebookresearch/dino. Default false: the step
    /// after it is the first to have it.
    /// </summary>
    public bool WarmupIncludesPeak { get; init; }

    /// <summary>The number of a step.</summary>
    /// <param name="step">The step, counted from 0; the first has 0 if there is a rise.</param>
    public double At(long step)
    {
        if (step < WarmupSteps) return WarmupIncludesPeak ? Peak * Math.Min(1, step / Math.Max(1, WarmupSteps - 1)) : Peak * step / WarmupSteps;
        double done = Math.Min(1, (step - WarmupSteps) / Math.Max(1, TotalSteps - WarmupSteps));
        return Minimum + (Peak - Minimum) * 0.5 * (1 + Math.Cos(Math.PI * done));
    }
}
