using Smae.Training;
using Spectre.Console;

namespace Reproduction;

/// <summary>Shows how a stage of the experiment goes: a progress bar in a terminal, a line now and then elsewhere.</summary>
internal static class StageProgress
{
    private static readonly TimeSpan s_lineEvery = TimeSpan.FromSeconds(30);

    public static T Show<T>(string title, Func<IProgress<TrainingProgress>, T> work)
    {
        if (!AnsiConsole.Profile.Capabilities.Interactive || Console.IsOutputRedirected)
        {
            var last = TimeSpan.Zero;
            return work(new Report(p =>
            {
                if (!p.EpochEnded || (p.Elapsed - last < s_lineEvery && p.Step < p.TotalSteps)) return;
                last = p.Elapsed;
                Console.WriteLine($"{title}: {p}");
            }));
        }
        return AnsiConsole.Progress()
            .Columns(
                new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(context =>
            {
                ProgressTask bar = context.AddTask(title);
                return work(new Report(p =>
                {
                    bar.MaxValue = p.TotalSteps;
                    bar.Value = p.Step;
                    bar.Description = $"{title}  epoch {p.Epoch}/{p.Epochs}  loss {p.Loss:F4}  {p.ImagesPerSecond:F0} images/s";
                }));
            });
    }

    /// <summary>Reports at once: <see cref="Progress{T}"/> would do so on other threads, out of order.</summary>
    private sealed class Report(Action<TrainingProgress> show) : IProgress<TrainingProgress>
    {
        void IProgress<TrainingProgress>.Report(TrainingProgress value) => show(value);
    }
}
