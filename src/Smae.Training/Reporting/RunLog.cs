using System.Globalization;
using System.Text;

namespace Smae.Training;

/// <summary>
/// Writes what a run reports into a folder, for people and programs to look at: <c>progress.csv</c> and an event file for TensorBoard
/// (<c>tensorboard --logdir</c>), each with loss, learning rate and images a second by step, and the loss of every epoch. Put it into the options of a
/// run as <c>Progress</c>. A run that goes on after a stop adds to the folder; steps that it repeats replace those written before.
/// </summary>
public sealed class RunLog : IProgress<TrainingProgress>, IDisposable
{
    private const string Header = "step,epoch,epoch_ended,loss,learning_rate,images_per_second,elapsed_seconds";
    private readonly Lock _lock = new();
    private readonly IProgress<TrainingProgress>? _next;
    private readonly string _csvPath;
    private StreamWriter? _csv;
    private EventFile? _events;

    /// <summary>Opens the log of a run.</summary>
    /// <param name="folder">The folder; it is made if it is not there. One folder serves one run.</param>
    /// <param name="next">Told everything too; null is nobody.</param>
    /// <exception cref="IOException">The folder cannot be made or written to.</exception>
    /// <exception cref="InvalidDataException">There is a <c>progress.csv</c> that no run log wrote.</exception>
    public RunLog(string folder, IProgress<TrainingProgress>? next = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        Directory.CreateDirectory(folder);
        (_next, _csvPath) = (next, Path.Combine(folder, "progress.csv"));
        if (File.Exists(_csvPath) && File.ReadLines(_csvPath).FirstOrDefault() is { } first && first != Header)
            throw new InvalidDataException($"{_csvPath} is not the log of a run: its first line is '{first}', expected '{Header}'.");
        _events = new EventFile(folder, DateTimeOffset.UtcNow);   // fail now, not at the first report
    }

    /// <summary>Writes a report down. Thread-safe.</summary>
    /// <param name="value">The report.</param>
    public void Report(TrainingProgress value)
    {
        ArgumentNullException.ThrowIfNull(value);
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_events is null, this);
            if (_csv is null)
            {
                _csv = Continue(value.Step);
                _events.Begin(value.Step, DateTimeOffset.UtcNow);
            }
            _csv.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{value.Step},{value.Epoch},{(value.EpochEnded ? 1 : 0)},{value.Loss:R},{value.LearningRate:R},")
                + string.Create(CultureInfo.InvariantCulture, $"{value.ImagesPerSecond:F2},{value.Elapsed.TotalSeconds:F3}"));
            _csv.Flush();
            List<(string, double)> scalars =
                [("loss", value.Loss), ("learning_rate", value.LearningRate), ("images_per_second", value.ImagesPerSecond)];
            if (value.EpochEnded) scalars.Add(("epoch/loss", value.Loss));
            _events.Write(value.Step, DateTimeOffset.UtcNow, scalars);
        }
        _next?.Report(value);
    }

    /// <summary>Closes the files.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _csv?.Dispose();
            _events?.Dispose();
            (_csv, _events) = (null, null);
        }
    }

    /// <summary>
    /// Opens the table for the first report of this process. A run that was killed goes on from its last checkpoint and comes by steps again that it
    /// had reported: those lines go, and a last line that was cut short with them.
    /// </summary>
    private StreamWriter Continue(long step)
    {
        List<string> lines = [Header];
        if (File.Exists(_csvPath))
        {
            string text = File.ReadAllText(_csvPath);
            string[] whole = text[..(text.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            lines.AddRange(whole.Skip(1).TakeWhile(line => long.TryParse(line.Split(',')[0], NumberStyles.None, CultureInfo.InvariantCulture, out long done) && done < step));
        }
        AtomicFile.Write(_csvPath, stream => stream.Write(Encoding.UTF8.GetBytes(string.Join('\n', lines) + '\n')));
        return new StreamWriter(new FileStream(_csvPath, FileMode.Append, FileAccess.Write, FileShare.Read)) { NewLine = "\n" };
    }
}
