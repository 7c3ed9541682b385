using System.Globalization;
using System.Numerics;
using System.Text;

namespace Smae.Training;

/// <summary>
/// Writes what a run reports into a folder, for people and programs to look at: <c>progress.csv</c> and an event file for TensorBoard
/// (<c>tensorboard --logdir</c>), each with loss, learning rate and images a second by step, the loss of every epoch, and what
/// <see cref="TrainingProgress.HeldOut"/> tells. Put it into the options of a run as <c>Progress</c>. A run that goes on after a stop adds to the folder; steps
/// that it repeats replace those written before.
/// </summary>
public sealed class RunLog : IProgress<TrainingProgress>, IDisposable
{
    private const string Header = "step,epoch,epoch_ended,loss,learning_rate,images_per_second,elapsed_seconds,"
        + "held_out_rank_me,held_out_own_crop,held_out_reconstruction";
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
                $"{value.Step},{value.Epoch},{(value.EpochEnded ? 1 : 0)},{value.Loss:R},{value.LearningRate:R},{value.ImagesPerSecond:F2},"
                + $"{value.Elapsed.TotalSeconds:F3},{value.HeldOut?.RankMe:R},{value.HeldOut?.OwnCrop:R},{value.HeldOut?.Reconstruction:R}"));
            _csv.Flush();
            List<(string, double)> scalars =
                [("loss", value.Loss), ("learning_rate", value.LearningRate), ("images_per_second", value.ImagesPerSecond)];
            if (value.EpochEnded) scalars.Add(("epoch/loss", value.Loss));
            if (value.HeldOut is { } heldOut)
                scalars.AddRange(
                [
                    ("held_out/rank_me", heldOut.RankMe), ("held_out/own_crop", heldOut.OwnCrop),
                    .. heldOut.Reconstruction is { } error ? [("held_out/reconstruction", error)] : ((string, double)[])[],
                ]);
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
            lines.AddRange(whole.Skip(1).TakeWhile(line =>
                long.TryParse(line.Split(',')[0], NumberStyles.None, CultureInfo.InvariantCulture, out long done) && done < step));
        }
        AtomicFile.Write(_csvPath, stream => stream.Write(Encoding.UTF8.GetBytes(string.Join('\n', lines) + '\n')));
        return new StreamWriter(new FileStream(_csvPath, FileMode.Append, FileAccess.Write, FileShare.Read)) { NewLine = "\n" };
    }
}

/// <summary>
/// A TensorBoard event file of scalars: records of length, masked CRC-32C, an <c>Event</c> message (tensorboard/compat/proto/event.proto), masked CRC-32C.
/// What has been written is whole after every call, so that TensorBoard can read along and a killed run loses nothing but a last half record.
/// </summary>
internal sealed class EventFile : IDisposable
{
    // Field number and wire type of protocol buffers, as a tag: number << 3 | type (0 varint, 1 eight bytes, 2 length and bytes, 5 four bytes).
    private const byte WallTime = 1 << 3 | 1, Step = 2 << 3, FileVersion = 3 << 3 | 2, Summary = 5 << 3 | 2, SessionLog = 7 << 3 | 2;   // of Event
    private const byte Value = 1 << 3 | 2, Tag = 1 << 3 | 2, SimpleValue = 2 << 3 | 5;   // of Summary and of its Value
    private const byte Status = 1 << 3, Started = 1;   // of SessionLog
    private const uint MaskDelta = 0xA282EAD8;
    private readonly FileStream _stream;

    /// <summary>Makes a new file in a folder; TensorBoard shows all files of a folder as one run.</summary>
    public EventFile(string folder, DateTimeOffset now)
    {
        Directory.CreateDirectory(folder);
        string name = string.Create(CultureInfo.InvariantCulture,
            $"events.out.tfevents.{now.ToUnixTimeSeconds():D10}.smae.{Environment.ProcessId}.{Guid.NewGuid():N}");
        _stream = new FileStream(Path.Combine(folder, name), FileMode.CreateNew, FileAccess.Write, FileShare.Read);
        Record([WallTime, .. BitConverter.GetBytes(Seconds(now)), FileVersion, .. Bytes("brain.Event:2"u8.ToArray())]);
    }

    /// <summary>Says that a run begins or goes on at a step: TensorBoard forgets what other files of the folder tell of it and later ones.</summary>
    public void Begin(long step, DateTimeOffset now) =>
        Record([WallTime, .. BitConverter.GetBytes(Seconds(now)), Step, .. Varint((ulong)step), SessionLog, .. Bytes([Status, Started])]);

    public void Write(long step, DateTimeOffset now, IEnumerable<(string Name, double Value)> scalars)
    {
        var summary = new List<byte>();
        foreach ((string name, double value) in scalars)
        {
            summary.Add(Value);
            summary.AddRange(Bytes([Tag, .. Bytes(Encoding.UTF8.GetBytes(name)), SimpleValue, .. BitConverter.GetBytes((float)value)]));
        }
        Record([WallTime, .. BitConverter.GetBytes(Seconds(now)), Step, .. Varint((ulong)step), Summary, .. Bytes([.. summary])]);
    }

    public void Dispose() => _stream.Dispose();

    /// <summary>CRC-32C, rotated and moved as TensorFlow does it for a file whose parts are checked again.</summary>
    internal static uint Masked(ReadOnlySpan<byte> data)
    {
        uint crc = ~0u;
        foreach (byte b in data) crc = BitOperations.Crc32C(crc, b);
        return unchecked(uint.RotateRight(~crc, 15) + MaskDelta);
    }

    private void Record(byte[] message)
    {
        byte[] length = BitConverter.GetBytes((long)message.Length);   // little-endian, as all that .NET runs on
        _stream.Write([.. length, .. BitConverter.GetBytes(Masked(length)), .. message, .. BitConverter.GetBytes(Masked(message))]);
        _stream.Flush();
    }

    private static double Seconds(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).TotalSeconds;

    private static byte[] Bytes(byte[] data) => [.. Varint((ulong)data.Length), .. data];

    private static List<byte> Varint(ulong value)
    {
        List<byte> bytes = [];
        for (; value >= 0x80; value >>= 7) bytes.Add((byte)(value | 0x80));
        bytes.Add((byte)value);
        return bytes;
    }
}
