using System.Globalization;

namespace Smae.Training;

/// <summary>How long a run is to be.</summary>
/// <param name="StepsPerEpoch">Fewer than there are batches of images where only few epochs fit into a time, and not all of the last.</param>
/// <param name="IsFinal">Whether it stays like that.</param>
internal sealed record RunPlan(int Epochs, long StepsPerEpoch, bool IsFinal);

/// <summary>
/// Fits a run into <see cref="TrainingOptions.TimeBudget"/>: measures its speed in the first steps and over the first epochs, up to a tenth of the time and the
/// first validation. From then on the plan stays as it is, so that a run that was stopped goes on as it would have.
/// </summary>
/// <param name="most">The run as its options have it; no plan is longer.</param>
/// <param name="validateEvery">Epochs between two validations; 0 if there are none.</param>
/// <param name="validationSteps">How many training steps a validation takes, roughly, until one has been seen.</param>
internal sealed class TimePlan(TimeSpan budget, RunPlan most, int validateEvery, double validationSteps)
{
    private const int WarmupSteps = 3, LeastSteps = 10;   // the first steps take longer: memory, kernels, files
    private const double Measured = 0.02, Settled = 0.1;  // shares of the time after which a first plan is made, and the last
    private const double Used = 0.96;                     // the share that is planned for: speed varies
    private const int FewEpochs = 4;                      // fewer are cut, so that the last does not go to waste
    private TimeSpan _from, _evaluating;
    private int _evaluations;
    private long _steps;
    private bool _hasPlanned;

    /// <summary>A step has been taken.</summary>
    /// <param name="now">On the clock of this session.</param>
    public void StepEnded(TimeSpan now)
    {
        if (++_steps == WarmupSteps) (_from, _evaluating) = (now, TimeSpan.Zero);
    }

    /// <summary>The validation images have been looked at.</summary>
    public void Evaluated(TimeSpan took) => (_evaluating, _evaluations) = (_evaluating + took, _evaluations + 1);

    /// <summary>The plan by what is known now.</summary>
    /// <param name="now">On the clock of this session.</param>
    /// <param name="earlier">What earlier sessions of the run took.</param>
    /// <param name="stepsInEpoch">Steps of the epoch under way; 0 where one has just ended.</param>
    /// <returns>Null where there is nothing to decide yet, or no more.</returns>
    public RunPlan? Revise(RunPlan? plan, TimeSpan now, TimeSpan earlier, int epochsDone, long stepsInEpoch)
    {
        bool atEnd = stepsInEpoch == 0, isFirst = !_hasPlanned;
        if (plan is { IsFinal: true } || _steps < WarmupSteps + LeastSteps || now - _from < Measured * budget || !(atEnd || isFirst)) return null;
        _hasPlanned = true;
        double evaluating = _evaluating.TotalSeconds, step = ((now - _from).TotalSeconds - evaluating) / (_steps - WarmupSteps);
        double evaluation = validateEvery == 0 ? 0 : (_evaluations > 0 ? evaluating / _evaluations : validationSteps * step) / validateEvery;
        double left = (Used * budget - earlier - now).TotalSeconds + stepsInEpoch * step;   // from the beginning of this epoch
        long steps = plan?.StepsPerEpoch ?? most.StepsPerEpoch;
        double fits = left / (steps * step + evaluation);
        if (!atEnd && epochsDone == 0 && fits < Math.Min(FewEpochs, most.Epochs))
        {
            long Steps(int epochs) => (long)((left / epochs - evaluation) / step);
            int few = Math.Max(1, (int)Math.Ceiling(fits));
            if (few > 1 && Steps(few) < stepsInEpoch) few--;   // too many are done already of this one
            return new RunPlan(few, Math.Clamp(Steps(few), stepsInEpoch, steps), IsFinal: true);
        }
        int least = epochsDone + (atEnd && validateEvery <= 1 ? 0 : 1);   // the last epoch is one with validation
        int epochs = (int)Math.Clamp(epochsDone + Math.Floor(Math.Max(0, fits)), Math.Min(least, most.Epochs), most.Epochs);
        return new RunPlan(epochs, steps, IsFinal: atEnd && now + earlier >= Settled * budget && (validateEvery == 0 || _evaluations > 0));
    }

    /// <summary>What a plan follows from, for people.</summary>
    public string Explain(RunPlan plan, TimeSpan now) => string.Create(CultureInfo.InvariantCulture,
        $"TimeBudget {budget:c}: {(_steps - WarmupSteps) / ((now - _from) - _evaluating).TotalSeconds:G3} steps a second; "
        + $"{plan.Epochs} of at most {most.Epochs} epochs of {plan.StepsPerEpoch} steps end in time{(plan.IsFinal ? "" : ", as far as can be told now")}.");
}
