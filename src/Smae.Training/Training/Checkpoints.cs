using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;

namespace Smae.Training;

/// <summary>Where a run stands between two steps: all that is not a tensor. Random numbers need no state, they follow from seed and step.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="LossSum">Of the epoch under way, as is <paramref name="EpochTime"/>.</param>
internal sealed record RunPosition(long Step, double LossSum, TimeSpan EpochTime, IReadOnlyList<EpochSummary> History)
{
    public static RunPosition Start { get; } = new(0, 0, TimeSpan.Zero, []);
}

/// <summary>
/// The checkpoints of one run: safetensors files named by run and step, each with the run's fingerprint, its position and a hash of both position and tensors.
/// A file is written under a temporary name, synced and renamed; the older ones stay until it is whole. Files of other runs are not touched.
/// </summary>
internal sealed class CheckpointStore : IDisposable
{
    private const string Prefix = "checkpoint-", Suffix = ".safetensors", FingerprintKey = "run", PositionKey = "position", HashKey = "sha256";
    private readonly CheckpointOptions _options;
    private readonly string _fingerprint;
    private readonly Action<string>? _log;
    private readonly FileStream _lock;

    /// <param name="fingerprint">Tells this run from runs with other settings or images.</param>
    /// <exception cref="IOException">The folder cannot be made or written to, or another run has it.</exception>
    public CheckpointStore(CheckpointOptions options, string fingerprint, Action<string>? log)
    {
        (_options, _fingerprint, _log) = (options, Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(fingerprint))), log);
        try
        {
            System.IO.Directory.CreateDirectory(options.Directory);
            _lock = Lock(Path.Combine(options.Directory, ".lock"));   // what cannot be written fails now, not after the first hour
            string[] unfinished = System.IO.Directory.GetFiles(options.Directory, $"{OwnPrefix}*{Suffix}.*.tmp");   // of a run killed as it wrote
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
        string path = Path.Combine(_options.Directory, FormattableString.Invariant($"{OwnPrefix}{position.Step:D10}{Suffix}"));
        SafeTensors.Save(path, tensors, new Dictionary<string, string>
        {
            [FingerprintKey] = _fingerprint, [PositionKey] = place, [HashKey] = TensorHash.Of(tensors, place),
        });
        foreach (string old in Own().SkipWhile(file => file != path).Skip(_options.Keep)) File.Delete(old);
    }

    /// <summary>Puts the newest valid checkpoint into the tensors of <paramref name="state"/>.</summary>
    /// <returns>Where that run stood; the start if there is no checkpoint to go on from.</returns>
    public RunPosition Restore(IEnumerable<(string Name, Tensor Tensor)> state)
    {
        if (!_options.Resume) return RunPosition.Start;
        (string Name, Tensor Tensor)[] tensors = [.. state];
        string[] own = [.. Own()];
        foreach (string other in System.IO.Directory.GetFiles(_options.Directory, $"{Prefix}*{Suffix}").Except(own))
            _log?.Invoke($"Checkpoint passed over: {other} belongs to a run with other settings or images.");
        foreach (string path in own)
        {
            try
            {
                RunPosition position = Load(path, tensors);
                _log?.Invoke($"Going on from {path}, after step {position.Step.ToString(CultureInfo.InvariantCulture)}.");
                return position;
            }
            catch (Exception e) when (e is InvalidDataException or JsonException or IOException or UnauthorizedAccessException)
            {
                _log?.Invoke($"Checkpoint passed over: {e.Message}");
            }
        }
        return RunPosition.Start;
    }

    private RunPosition Load(string path, (string Name, Tensor Tensor)[] state)
    {
        SafeTensorsFile file = SafeTensors.Open(path);
        if (file.Metadata.GetValueOrDefault(FingerprintKey) != _fingerprint)
            throw new InvalidDataException($"{path} belongs to a run with other settings or images.");
        using DisposeScope scope = NewDisposeScope();
        (string Name, Tensor Tensor)[] stored = [.. state.Select(s =>
            file.Contains(s.Name) ? (s.Name, file.Read(s.Name)) : throw new InvalidDataException($"{path} lacks '{s.Name}'."))];
        string place = file.Metadata.GetValueOrDefault(PositionKey) ?? "";
        if (TensorHash.Of(stored, place) != file.Metadata.GetValueOrDefault(HashKey))
            throw new InvalidDataException($"{path} is damaged: its hash does not match.");
        RunPosition position = JsonSerializer.Deserialize<RunPosition>(place) ?? throw new InvalidDataException($"{path} has no position.");
        using var noGrad = no_grad();
        for (int i = 0; i < state.Length; i++) state[i].Tensor.copy_(stored[i].Tensor);
        return position;
    }

    /// <summary>The checkpoints of this run, the newest first.</summary>
    private IEnumerable<string> Own() =>
        System.IO.Directory.GetFiles(_options.Directory, $"{OwnPrefix}*{Suffix}").OrderDescending(StringComparer.Ordinal);

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
