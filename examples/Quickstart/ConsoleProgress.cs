using Smae.Training;
using Spectre.Console;

namespace Quickstart;

/// <summary>Shows how a run goes: a progress bar in a terminal, a line for each epoch elsewhere.</summary>
internal static class ConsoleProgress
{
    public static void Show(string title, Action<IProgress<TrainingProgress>> work)
    {
        if (!AnsiConsole.Profile.Capabilities.Interactive || Console.IsOutputRedirected)
        {
            work(new Report(p => { if (p.EpochEnded) Console.WriteLine(p); }));
            return;
        }
        AnsiConsole.Progress()
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(context =>
            {
                ProgressTask bar = context.AddTask(title);
                work(new Report(p =>
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
