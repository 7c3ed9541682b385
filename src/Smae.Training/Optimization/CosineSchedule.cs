namespace Smae.Training;

/// <summary>
/// The learning rate of each step: a linear rise from 0, then half a cosine down, by iteration (facebookresearch/mae, <c>lr_sched.py</c>).
/// </summary>
/// <param name="Peak">The rate at the end of the rise.</param>
/// <param name="WarmupSteps">Steps of the rise.</param>
/// <param name="TotalSteps">All steps.</param>
/// <param name="Minimum">The rate at the end. Default 0.</param>
public sealed record CosineSchedule(double Peak, double WarmupSteps, double TotalSteps, double Minimum = 0)
{
    /// <summary>The learning rate of a step.</summary>
    /// <param name="step">The step, counted from 0; the first has rate 0 if there is a rise.</param>
    public double At(long step)
    {
        if (step < WarmupSteps) return Peak * step / WarmupSteps;
        double done = Math.Min(1, (step - WarmupSteps) / Math.Max(1, TotalSteps - WarmupSteps));
        return Minimum + (Peak - Minimum) * 0.5 * (1 + Math.Cos(Math.PI * done));
    }
}
