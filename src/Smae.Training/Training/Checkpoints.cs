using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Smae.Training;

/// <summary>Where a run stands between two steps: all that is not a tensor. Random numbers need no state, they follow from seed and step.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="LossSum">Of the epoch under way, as is <paramref name="EpochTime"/>.</param>
internal sealed record RunPosition(long Step, double LossSum, TimeSpan EpochTime, IReadOnlyList<EpochSummary> History)
{
    public static RunPosition Start { get; } = new(0, 0, TimeSpan.Zero, []);

    /// <summary>Steps that the optimiser has taken: others than <see cref="Step"/> where the run went on with another number of them in an epoch.</summary>
    public long Updates { get; init; }

    /// <summary>How often the run went back after a loss that was not finite; each time halved its learning rate.</summary>
    public int Recoveries { get; init; }

    /// <summary>How long the run is to be, where that was decided by its speed.</summary>
    public RunPlan? Plan { get; init; }

    /// <summary>Time that the run took so far, whenever it went on.</summary>
    public TimeSpan Elapsed { get; init; }
}

/// <summary>A checkpoint of a run with other settings or images, of which everything that fits has been put into a run's tensors.</summary>
/// <param name="Position">Where that run stood.</param>
/// <param name="Changed">Settings that differ, by name: that run's and this run's, null where one knows of no such setting.</param>
/// <param name="Missing">Names of tensors that it lacks or has in another shape; they are as they were.</param>
internal sealed record OtherCheckpoint(
    string Path, RunPosition Position, IReadOnlyDictionary<string, (string? Old, string? New)> Changed, IReadOnlySet<string> Missing);

/// <summary>
/// The checkpoints of one run: safetensors files named by run and step, each with the run's settings, its position and a hash of both and of the tensors. A file
/// is written under a temporary name, synced and renamed; the older ones stay until it is whole. Files of other runs are read where asked for, never touched.
/// </summary>
internal sealed partial class CheckpointStore : IDisposable
{
    private const string Prefix = "checkpoint-", Suffix = ".safetensors", FingerprintKey = "run", SettingsKey = "settings", PositionKey = "position", HashKey = "sha256";
    private readonly CheckpointOptions _options;
    private readonly string _settings;
    private readonly string _fingerprint;
    private readonly Action<string>? _log;
    private readonly FileStream _lock;
    private string? _newest;   // what this object wrote or read last

    /// <param name="settings">By name, all that the numbers of this run follow from: what tells it from runs with other settings or images.</param>
    /// <exception cref="IOException">The folder cannot be made or written to, or another run has it.</exception>
    public CheckpointStore(CheckpointOptions options, IReadOnlyDictionary<string, string> settings, Action<string>? log)
    {
        (_options, _settings, _log) = (options, JsonSerializer.Serialize(settings), log);
        _fingerprint = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(_settings)));
        try
        {
            Directory.CreateDirectory(options.Directory);
            _lock = Lock(Path.Combine(options.Directory, ".lock"));   // what cannot be written fails now, not after the first hour
            string[] unfinished = Directory.GetFiles(options.Directory, $"{OwnPrefix}*{Suffix}.*.tmp");   // of a run killed as it wrote
            foreach (string file in unfinished) File.Delete(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _lock?.Dispose();
            throw new IOException($"Checkpoints cannot be written to '{options.Directory}' (Checkpoints.Directory): {e.Message}", e);
        }
    }

    private string OwnPrefix => $"{Prefix}{_fingerprint[..8]}-";

    public void Save(RunPosition position, IEnumerable<(string Name, Tensor Tensor)> state)
    {
        (string Name, Tensor Tensor)[] tensors = [.. state];
        string place = JsonSerializer.Serialize(position);
        _newest = Path.Combine(_options.Directory, FormattableString.Invariant($"{OwnPrefix}{position.Step:D10}{Suffix}"));
        SafeTensors.Save(_newest, tensors, new Dictionary<string, string>
        {
            [FingerprintKey] = _fingerprint, [SettingsKey] = _settings, [PositionKey] = place, [HashKey] = Hash(tensors, _settings, place),
        });
        foreach (string old in Own().SkipWhile(file => file != _newest).Skip(_options.Keep)) File.Delete(old);
    }

    /// <summary>Puts the newest valid checkpoint of this run into tensors: the one that this object wrote or read last, if there is one.</summary>
    /// <returns>Where that run stood; null if there is no checkpoint to go on from.</returns>
    public RunPosition? Restore(IReadOnlyList<(string Name, Tensor Tensor)> state)
    {
        if (_newest is null && !_options.Resume) return null;
        foreach (string path in _newest is null && _options.ContinueFrom is null ? Others(_options.Directory) : [])
            if (Read(path, Differences) is { } differences)
                _log?.Invoke($"Checkpoint passed over: {path} belongs to a run with other settings or images ({Text(differences)}). "
                    + $"{nameof(CheckpointOptions.ContinueFrom)} goes on from it all the same.");
        foreach (string path in Own().SkipWhile(file => _newest is not null && file != _newest))
        {
            if (Read(path, file => file.Metadata.GetValueOrDefault(FingerprintKey) == _fingerprint
                ? Load(file, state, state.FirstOrDefault(s => !Fits(file, s)).Name)
                : throw new InvalidDataException($"{path} belongs to a run with other settings or images.")) is not { } position) continue;
            _newest = path;
            _log?.Invoke($"Going on from {path}, after step {position.Step.ToString(CultureInfo.InvariantCulture)}.");
            return position;
        }
        return null;
    }

    /// <summary>Puts what fits of a checkpoint of another run into tensors, as <see cref="CheckpointOptions.ContinueFrom"/> says.</summary>
    /// <param name="isNeeded">Whether a tensor, by its name, must be there.</param>
    /// <returns>Null if this is not asked for.</returns>
    /// <exception cref="FileNotFoundException">There is no checkpoint to go on from.</exception>
    /// <exception cref="InvalidDataException">The one named is damaged, or its model is another.</exception>
    public OtherCheckpoint? Continue(IReadOnlyList<(string Name, Tensor Tensor)> state, Func<string, bool> isNeeded)
    {
        if (_options.ContinueFrom is not { } from) return null;
        bool isFolder = Directory.Exists(from);
        foreach (string path in isFolder ? Others(from) : [from])
        {
            OtherCheckpoint? Load(SafeTensorsFile file)
            {
                HashSet<string> missing = [.. state.Where(s => !Fits(file, s)).Select(s => s.Name)];
                if (missing.FirstOrDefault(isNeeded) is { } needed)
                    throw new ArgumentException($"{path} cannot be gone on from: it lacks '{needed}', or has it in another shape, so its model is another.");
                return new(path, CheckpointStore.Load(file, [.. state.Where(s => !missing.Contains(s.Name))], null), Differences(file), missing);
            }
            if ((isFolder ? Read(path, Load) : Load(SafeTensors.Open(path))) is { } other) return other;
        }
        if (isFolder && IsOurs(from)) return null;   // the first run of all
        throw new FileNotFoundException($"There is no checkpoint to go on from at '{from}' (Checkpoints.ContinueFrom).", from);
    }

    /// <summary>Removes the newest checkpoint if it is of a step that no other can follow, and not the only one: its weights are finite, what they give is not.</summary>
    public void Reject(long step)
    {
        string[] newest = [.. Own().SkipWhile(file => file != _newest).Take(2)];
        if (newest.Length < 2 || !newest[0].EndsWith(FormattableString.Invariant($"-{step:D10}{Suffix}"), StringComparison.Ordinal)) return;
        File.Delete(newest[0]);
        _newest = newest[1];
        _log?.Invoke($"Checkpoint removed: {newest[0]}, the step after it fails; the one before it is the last good one.");
    }

    /// <summary>Settings that differ, for people.</summary>
    public static string Text(IReadOnlyDictionary<string, (string? Old, string? New)> changed) =>
        changed.Count == 0 ? "nothing" : string.Join("; ", changed.Select(c => LongHash.Replace($"{c.Key} {c.Value.Old ?? "none"} -> {c.Value.New ?? "none"}", "$1...")));

    [GeneratedRegex("([0-9a-f]{8})[0-9a-f]{56}")]
    private static partial Regex LongHash { get; }

    /// <summary>Reads a file; null, and a word in the log, where that cannot be done.</summary>
    private T? Read<T>(string path, Func<SafeTensorsFile, T?> read) where T : class
    {
        try
        {
            return read(SafeTensors.Open(path));
        }
        catch (Exception e) when (e is InvalidDataException or JsonException or IOException or UnauthorizedAccessException)
        {
            _log?.Invoke($"Checkpoint passed over: {e.Message}");
            return null;
        }
    }

    private Dictionary<string, (string? Old, string? New)> Differences(SafeTensorsFile file)
    {
        string text = file.Metadata.GetValueOrDefault(SettingsKey) ?? throw new InvalidDataException($"{file.Path} is no checkpoint.");
        Dictionary<string, string> theirs = Settings(text), ours = Settings(_settings);
        return theirs.Keys.Union(ours.Keys).Select(name => (Name: name, Old: theirs.GetValueOrDefault(name), New: ours.GetValueOrDefault(name)))
            .Where(s => s.Old != s.New).ToDictionary(s => s.Name, s => (s.Old, s.New));

        static Dictionary<string, string> Settings(string json) => JsonSerializer.Deserialize<Dictionary<string, string>>(json) ?? [];
    }

    private static bool Fits(SafeTensorsFile file, (string Name, Tensor Tensor) wanted) =>
        file.Contains(wanted.Name) && file.Shape(wanted.Name).SequenceEqual(wanted.Tensor.shape);

    private static RunPosition Load(SafeTensorsFile file, IReadOnlyList<(string Name, Tensor Tensor)> wanted, string? lacks)
    {
        if (lacks is not null) throw new InvalidDataException($"{file.Path} lacks '{lacks}'.");
        using DisposeScope scope = NewDisposeScope();
        using var noGrad = no_grad();
        Dictionary<string, Tensor> stored = file.Names.ToDictionary(name => name, file.Read);
        string place = file.Metadata.GetValueOrDefault(PositionKey) ?? "", settings = file.Metadata.GetValueOrDefault(SettingsKey) ?? "";
        if (Hash(stored.Select(s => (s.Key, s.Value)), settings, place) != file.Metadata.GetValueOrDefault(HashKey))
            throw new InvalidDataException($"{file.Path} is damaged: its hash does not match.");
        RunPosition position = JsonSerializer.Deserialize<RunPosition>(place) ?? throw new InvalidDataException($"{file.Path} has no position.");
        foreach ((string name, Tensor tensor) in wanted) tensor.copy_(stored[name]);
        return position;
    }

    private static string Hash(IEnumerable<(string Name, Tensor Tensor)> tensors, string settings, string place) =>
        TensorHash.Of(tensors.OrderBy(t => t.Name, StringComparer.Ordinal), $"{settings}|{place}");

    /// <summary>The checkpoints of this run, the newest first.</summary>
    private IEnumerable<string> Own() => Directory.GetFiles(_options.Directory, $"{OwnPrefix}*{Suffix}").OrderDescending(StringComparer.Ordinal);

    /// <summary>The checkpoints of other runs in a folder, the newest first.</summary>
    private IEnumerable<string> Others(string folder) => Directory.GetFiles(folder, $"{Prefix}*{Suffix}")
        .Where(file => !IsOurs(folder) || !Path.GetFileName(file).StartsWith(OwnPrefix, StringComparison.Ordinal))
        .OrderByDescending(File.GetLastWriteTimeUtc).ThenByDescending(file => file, StringComparer.Ordinal);

    private bool IsOurs(string folder) =>
        Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)) == Path.TrimEndingDirectorySeparator(Path.GetFullPath(_options.Directory));

    /// <summary>Held until this object is disposed or the process ends, however it does.</summary>
    private static FileStream Lock(string path)
    {
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
        }
        catch (IOException e) when (File.Exists(path))
        {
            throw new IOException("another run has this folder; one folder serves one run at a time.", e);
        }
    }

    public void Dispose() => _lock.Dispose();
}
