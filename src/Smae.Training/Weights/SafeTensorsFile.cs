using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>The header of a safetensors file, checked, and the way to its tensors.</summary>
public sealed class SafeTensorsFile
{
    private readonly long _dataStart;
    private readonly IReadOnlyDictionary<string, Entry> _entries;

    internal SafeTensorsFile(string path, long dataStart, IReadOnlyDictionary<string, string> metadata, IReadOnlyDictionary<string, Entry> entries)
    {
        _dataStart = dataStart;
        _entries = entries;
        (Path, Metadata) = (path, metadata);
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>Text kept in the header.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Names of the tensors.</summary>
    public IEnumerable<string> Names => _entries.Keys;

    /// <summary>Whether there is a tensor of that name.</summary>
    /// <param name="name">The name.</param>
    public bool Contains(string name) => _entries.ContainsKey(name);

    /// <summary>The shape of a tensor.</summary>
    /// <param name="name">Its name.</param>
    /// <exception cref="KeyNotFoundException">There is none of that name.</exception>
    public IReadOnlyList<long> Shape(string name) => Find(name).Shape;

    /// <summary>Reads a tensor.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>The tensor in the type it was stored in, on the CPU.</returns>
    /// <exception cref="KeyNotFoundException">There is none of that name.</exception>
    public Tensor Read(string name)
    {
        Entry entry = Find(name);
        using FileStream stream = File.OpenRead(Path);
        stream.Position = _dataStart + entry.Start;
        Tensor result = empty(entry.Shape, entry.Type);
        if (entry.End > entry.Start) stream.ReadExactly(result.bytes);
        return result;
    }

    private Entry Find(string name) =>
        _entries.TryGetValue(name, out Entry? entry) ? entry : throw new KeyNotFoundException($"{Path} holds no tensor '{name}'.");

    /// <summary>Where a tensor lies, from the end of the header.</summary>
    internal sealed record Entry(ScalarType Type, long[] Shape, long Start, long End);
}
