using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>
/// The checkpoints of one run: safetensors files named by step, each with the run's fingerprint, its position and a hash of its tensors. A file is written
/// under a temporary name, synced and renamed; the older ones stay until it is whole.
/// </summary>
internal sealed class CheckpointStore
{
    private const string Pattern = "checkpoint-*.safetensors", FingerprintKey = "run", PositionKey = "position", HashKey = "sha256";
    private readonly CheckpointOptions _options;
    private readonly string _fingerprint;
    private readonly Action<string>? _log;

    /// <param name="options">Folder, interval, number.</param>
    /// <param name="fingerprint">Tells this run from runs with other settings or images.</param>
    /// <param name="log">Told of files that are passed over.</param>
    /// <exception cref="IOException">The folder cannot be made or written to.</exception>
    public CheckpointStore(CheckpointOptions options, string fingerprint, Action<string>? log)
    {
        (_options, _fingerprint, _log) = (options, Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(fingerprint))), log);
        System.IO.Directory.CreateDirectory(options.Directory);
        string probe = Path.Combine(options.Directory, $".{Guid.NewGuid():N}.tmp");
        File.WriteAllBytes(probe, []);   // fail now, not after the first hour
        File.Delete(probe);
    }

    public TimeSpan Interval => _options.Interval;

    public void Save(RunPosition position, IEnumerable<(string Name, Tensor Tensor)> state)
    {
        (string Name, Tensor Tensor)[] tensors = [.. state];
        SafeTensors.Save(Path.Combine(_options.Directory, $"checkpoint-{position.Step:D10}.safetensors"), tensors, new Dictionary<string, string>
        {
            [FingerprintKey] = _fingerprint, [PositionKey] = JsonSerializer.Serialize(position), [HashKey] = Hash(tensors),
        });
        foreach (string old in Newest().Skip(_options.Keep)) File.Delete(old);
    }

    /// <summary>Puts the newest valid checkpoint into the tensors of <paramref name="state"/>.</summary>
    /// <returns>Where that run stood; the start if there is no checkpoint to go on from.</returns>
    public RunPosition Restore(IEnumerable<(string Name, Tensor Tensor)> state)
    {
        if (!_options.Resume) return RunPosition.Start;
        (string Name, Tensor Tensor)[] tensors = [.. state];
        foreach (string path in Newest())
        {
            try
            {
                RunPosition position = Load(path, tensors);
                _log?.Invoke($"Going on from {path}, after step {position.Step.ToString(CultureInfo.InvariantCulture)}.");
                return position;
            }
            catch (Exception e) when (e is InvalidDataException or JsonException or IOException)
            {
                _log?.Invoke($"Checkpoint passed over: {e.Message}");
            }
        }
        return RunPosition.Start;
    }

    private RunPosition Load(string path, (string Name, Tensor Tensor)[] state)
    {
        SafeTensorsFile file = SafeTensors.Open(path);
        if (file.Metadata.GetValueOrDefault(FingerprintKey) != _fingerprint) throw new InvalidDataException($"{path} belongs to a run with other settings or images.");
        using DisposeScope scope = NewDisposeScope();
        var stored = state.Select(s => file.Contains(s.Name) ? (s.Name, Tensor: file.Read(s.Name)) : throw new InvalidDataException($"{path} lacks '{s.Name}'.")).ToArray();
        if (Hash(stored) != file.Metadata.GetValueOrDefault(HashKey)) throw new InvalidDataException($"{path} is damaged: its hash does not match.");
        RunPosition position = JsonSerializer.Deserialize<RunPosition>(file.Metadata[PositionKey]) ?? throw new InvalidDataException($"{path} has no position.");
        using var noGrad = no_grad();
        for (int i = 0; i < state.Length; i++) state[i].Tensor.copy_(stored[i].Tensor);
        return position;
    }

    private IEnumerable<string> Newest() => System.IO.Directory.GetFiles(_options.Directory, Pattern).OrderDescending(StringComparer.Ordinal);

    private static string Hash((string Name, Tensor Tensor)[] tensors)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach ((_, Tensor tensor) in tensors)
        {
            using DisposeScope scope = NewDisposeScope();
            hash.AppendData(tensor.detach().cpu().contiguous().bytes);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
