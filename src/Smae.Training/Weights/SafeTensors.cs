using System.Buffers.Binary;
using System.Text.Json;

namespace Smae.Training;

/// <summary>
/// Reads and writes tensors in the safetensors format: 8 bytes with the length of a JSON header, the header, then the raw little-endian numbers.
/// </summary>
public static class SafeTensors
{
    private const long MaxHeader = 100_000_000;   // the limit of the reference implementation

    private static readonly (string Name, ScalarType Type, int Size)[] s_types =
    [
        ("F64", ScalarType.Float64, 8), ("F32", ScalarType.Float32, 4), ("F16", ScalarType.Float16, 2), ("BF16", ScalarType.BFloat16, 2),
        ("I64", ScalarType.Int64, 8), ("I32", ScalarType.Int32, 4), ("I16", ScalarType.Int16, 2), ("I8", ScalarType.Int8, 1),
        ("U8", ScalarType.Byte, 1), ("BOOL", ScalarType.Bool, 1),
    ];

    /// <summary>Writes tensors to a file, safely: a reader sees the old file or the whole new one. Its folder is made if it is not there.</summary>
    /// <param name="metadata">Text kept in the header. Default none.</param>
    /// <exception cref="ArgumentException">A name comes twice, or a tensor has a type that the format lacks.</exception>
    public static void Save(string path, IEnumerable<(string Name, Tensor Tensor)> tensors, IReadOnlyDictionary<string, string>? metadata = null) =>
        AtomicFile.Write(path, stream => Write(stream, tensors, metadata ?? new Dictionary<string, string>()));

    internal static void Write(Stream stream, IEnumerable<(string Name, Tensor Tensor)> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        (string Name, Tensor Tensor)[] all = [.. tensors];
        if (all.GroupBy(t => t.Name).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new ArgumentException($"The tensor name '{twice.Key}' comes twice.", nameof(tensors));
        byte[] header = Header(all, metadata), length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        stream.Write(length);
        stream.Write(header);
        foreach ((_, Tensor tensor) in all)
        {
            using DisposeScope scope = NewDisposeScope();
            stream.Write(tensor.detach().cpu().contiguous().bytes);
        }
    }

    /// <summary>Opens a file and reads its header; tensors are read when asked for.</summary>
    /// <exception cref="InvalidDataException">It is not a safetensors file, or it is truncated; the message says where.</exception>
    public static SafeTensorsFile Open(string path)
    {
        using FileStream stream = File.OpenRead(path);
        InvalidDataException Bad(string why) => new($"{path} is not a valid safetensors file: {why}");

        Span<byte> length = stackalloc byte[8];
        if (stream.ReadAtLeast(length, 8, throwOnEndOfStream: false) < 8) throw Bad($"it has {stream.Length} bytes, expected at least 8.");
        long headerLength = BinaryPrimitives.ReadInt64LittleEndian(length);
        if (headerLength < 2 || headerLength > MaxHeader || headerLength > stream.Length - 8)
            throw Bad($"its first 8 bytes announce a header of {headerLength} bytes in a file of {stream.Length}.");
        byte[] header = new byte[headerLength];
        stream.ReadExactly(header);

        var metadata = new Dictionary<string, string>();
        var entries = new Dictionary<string, SafeTensorsFile.Entry>();
        try
        {
            using JsonDocument json = JsonDocument.Parse(header);
            foreach (JsonProperty property in json.RootElement.EnumerateObject())
            {
                if (property.Name == "__metadata__")
                    foreach (JsonProperty text in property.Value.EnumerateObject()) metadata[text.Name] = text.Value.GetString() ?? "";
                else
                    entries.Add(property.Name, Parse(property));
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException or IndexOutOfRangeException or ArgumentException)
        {
            throw Bad($"its header cannot be read ({e.Message})");
        }

        long dataLength = stream.Length - 8 - headerLength;
        foreach ((string name, SafeTensorsFile.Entry entry) in entries)
        {
            if (entry.Start < 0 || entry.End < entry.Start || entry.End > dataLength)
                throw Bad($"tensor '{name}' lies at bytes {entry.Start} to {entry.End} of {dataLength}; the file may be truncated.");
            long expected = entry.Shape.Aggregate((long)SizeOf(entry.Type), (a, b) => checked(a * b));
            if (entry.End - entry.Start != expected)
                throw Bad($"tensor '{name}' of {entry.Type} [{string.Join(", ", entry.Shape)}] has {entry.End - entry.Start} bytes, expected {expected}.");
        }
        return new SafeTensorsFile(path, 8 + headerLength, metadata, entries);
    }

    private static int SizeOf(ScalarType type) => s_types.First(t => t.Type == type).Size;

    private static SafeTensorsFile.Entry Parse(JsonProperty property)
    {
        JsonElement value = property.Value;
        string? dtype = value.GetProperty("dtype").GetString();
        (string Name, ScalarType Type, int Size) known = s_types.FirstOrDefault(t => t.Name == dtype);
        if (known.Name is null) throw new FormatException($"tensor '{property.Name}' has the unknown type '{dtype}'");
        JsonElement offsets = value.GetProperty("data_offsets");
        long[] shape = [.. value.GetProperty("shape").EnumerateArray().Select(s => s.GetInt64())];
        if (shape.Any(s => s < 0)) throw new FormatException($"tensor '{property.Name}' has a negative size");
        return new SafeTensorsFile.Entry(known.Type, shape, offsets[0].GetInt64(), offsets[1].GetInt64());
    }

    private static byte[] Header((string Name, Tensor Tensor)[] tensors, IReadOnlyDictionary<string, string> metadata)
    {
        var header = new Dictionary<string, object>();
        if (metadata.Count > 0) header.Add("__metadata__", metadata);
        long offset = 0;
        foreach ((string name, Tensor tensor) in tensors)
        {
            (string Name, ScalarType Type, int Size) type = s_types.FirstOrDefault(t => t.Type == tensor.dtype);
            if (type.Name is null) throw new ArgumentException($"Tensor '{name}' is {tensor.dtype}, which safetensors has no name for.", nameof(tensors));
            long end = offset + tensor.numel() * type.Size;
            header.Add(name, new { dtype = type.Name, tensor.shape, data_offsets = new[] { offset, end } });
            offset = end;
        }
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(header);
        return [.. json, .. Enumerable.Repeat((byte)' ', -json.Length & 7)];   // the numbers start at a multiple of 8
    }
}

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
    public bool Contains(string name) => _entries.ContainsKey(name);

    /// <summary>The shape of a tensor.</summary>
    /// <exception cref="KeyNotFoundException">There is none of that name.</exception>
    public IReadOnlyList<long> Shape(string name) => Find(name).Shape;

    /// <summary>Reads a tensor.</summary>
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
