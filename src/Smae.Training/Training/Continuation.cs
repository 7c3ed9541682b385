using System.Globalization;

namespace Smae.Training;

/// <summary>
/// What a run takes over from a checkpoint of another run, whose settings or images differ (<see cref="CheckpointOptions.ContinueFrom"/>): the weights, all else
/// that fits, and the epochs done.
/// </summary>
/// <param name="most">The run as its options have it.</param>
/// <param name="state">All tensors that the run changes, under the names that they have in a checkpoint.</param>
/// <param name="log">Told what is kept, what begins anew, and which settings changed.</param>
internal sealed class Continuation(TrainingOptions options, RunPlan most, IReadOnlyList<(string Name, Tensor Tensor)> state, Action<string>? log)
{
    /// <summary>
    /// Whether there is nothing to go on with where a checkpoint lacks a tensor: one of the model's own, but for a decoder's, which serves an objective.
    /// </summary>
    public static bool IsNeeded(string name) =>
        !((string[])[StateNames.Average, StateNames.Optimizer, StateNames.Objective, StateNames.Best, "decoder", "mask_token"]).Any(prefix => Is(name, prefix));

    /// <summary>Where the run begins, after a checkpoint's tensors have taken the place of this run's.</summary>
    /// <exception cref="ArgumentException">The other run has more epochs behind it than this one is to have.</exception>
    public RunPosition Begin(OtherCheckpoint other)
    {
        RunPosition then = other.Position;
        if (then.History.Count > options.Epochs)
            throw new ArgumentException($"{other.Path} has {then.History.Count} epochs behind it: expected Epochs to be as many or more, not {options.Epochs}.");

        Dictionary<string, Tensor> weights = state.ToDictionary(s => s.Name, s => s.Tensor);
        foreach (string name in other.Missing.Where(name => Is(name, StateNames.Average)))
            weights[name].copy_(weights[name[StateNames.Average.Length..]]);   // an average begins with the weights as they are now

        bool Changes(params string[] names) => names.Any(other.Changed.ContainsKey);
        bool lacksMoments = state.Where(s => Is(s.Name, StateNames.Optimizer)).All(s => other.Missing.Contains(s.Name));
        bool newOrder = Changes(Trainer.Images, nameof(TrainingOptions.BatchSize), nameof(TrainingOptions.Seed)) || then.Plan?.StepsPerEpoch < most.StepsPerEpoch;
        bool newBest = Changes(Supervision.ValidationImages) || other.Missing.Any(name => Is(name, StateNames.Best));
        RunPosition start = then with
        {
            Updates = lacksMoments ? 0 : then.Updates,
            Recoveries = Changes(nameof(TrainingOptions.LearningRate)) ? 0 : then.Recoveries,
            Plan = null, Elapsed = TimeSpan.Zero,
            History = newBest ? [.. then.History.Select(epoch => epoch with { Validation = null })] : then.History,
        };
        if (newOrder) start = start with { Step = then.History.Count * most.StepsPerEpoch, LossSum = 0, EpochTime = TimeSpan.Zero };
        if (log is not null) Explain(log, other, start, newOrder, newBest, lacksMoments);
        return start;
    }

    private void Explain(Action<string> log, OtherCheckpoint other, RunPosition start, bool newOrder, bool newBest, bool lacksMoments)
    {
        bool Keeps(string prefix) => state.Any(s => Is(s.Name, prefix) && !other.Missing.Contains(s.Name));
        string[] anew =
        [
            .. newOrder ? ["the epoch under way and the order of images"] : (string[])[], .. newBest ? ["the best epoch"] : (string[])[],
            .. lacksMoments ? ["moments of the optimiser"] : (string[])[],
            .. other.Missing.Where(name => !Is(name, StateNames.Best) && !(lacksMoments && Is(name, StateNames.Optimizer))),
        ];
        string average = Keeps(StateNames.Average) ? ", average of the weights" : "", objective = Keeps(StateNames.Objective) ? ", state of the objective" : "";
        string optimizer = lacksMoments ? "" : string.Create(CultureInfo.InvariantCulture, $", moments of the optimiser after {start.Updates} steps");
        log(string.Create(CultureInfo.InvariantCulture, $"Going on, otherwise, from {other.Path}, after step {other.Position.Step} of its run."));
        log(string.Create(CultureInfo.InvariantCulture, $"Kept: weights{optimizer}{average}{objective}, {start.History.Count} epochs done."));
        if (anew.Length > 0) log($"Begins anew: {string.Join(", ", anew.Take(8))}{(anew.Length > 8 ? $" and {anew.Length - 8} more" : "")}.");
        log($"Changed: {CheckpointStore.Text(other.Changed)}.");
    }

    private static bool Is(string name, string prefix) => name.StartsWith(prefix, StringComparison.Ordinal);
}

/// <summary>What the names of tensors in a checkpoint begin with that are not the model's own.</summary>
internal static class StateNames
{
    public const string Average = "average.", Optimizer = "optimizer.", Objective = "objective.";

    /// <summary>The weights that did best so far.</summary>
    public const string Best = "best.";
}
