using Smae.Training;

namespace Examples;

/// <summary>Shows how a run goes: one line that changes in a terminal, a line for each epoch elsewhere.</summary>
internal sealed class ConsoleProgress : IProgress<TrainingProgress>
{
    public void Report(TrainingProgress value)
    {
        if (Console.IsOutputRedirected)
        {
            if (value.EpochEnded) Console.WriteLine(value);
        }
        else Console.Write($"\r{value}  {(value.Step == value.TotalSteps ? "\n" : "")}");
    }
}
