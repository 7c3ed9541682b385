using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Smae.Training;

/// <summary>
/// Reads and writes tensors in the safetensors format: 8 bytes with the length of a JSON header, the header, then the raw little-endian numbers.
/// </summary>
public static class SafeTensors
{
    private const long MaxHeader = 100_000_000;   // the limit of the reference implementation

    // The types that we read and write.
    private static readonly (string Name, ScalarType Type, int Size)[] s_types =
    [
        ("F64", ScalarType.Float64, 8), ("F32", ScalarType.Float32, 4), ("F16", ScalarType.Float16, 2), ("BF16", ScalarType.BFloat16, 2),
        ("I64", ScalarType.Int64, 8), ("I32", ScalarType.Int32, 4), ("I16", ScalarType.Int16, 2), ("I8", ScalarType.Int8, 1),
        ("U8", ScalarType.Byte, 1), ("BOOL", ScalarType.Bool, 1),
    ];

    // The other types of the format: a tensor of theirs may stand in a file as long as nobody asks for it.
    private static readonly string[] s_unread = ["F4", "F6_E2M3", "F6_E3M2", "F8_E5M2", "F8_E4M3", "F8_E8M0", "U16", "U32", "U64", "C64"];

    /// <summary>Writes tensors to a file, safely: a reader sees the old file or the whole new one. Its folder is made if it is not there.</summary>
    /// <param name="metadata">Text kept in the header. Default none.</param>
    /// <exception cref="ArgumentException">A name comes twice, or a tensor has a type that the format lacks.</exception>
    public static void Save(string path, IEnumerable<(string Name, Tensor Tensor)> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        LibTorch.Require();
        AtomicFile.Write(path, stream => Write(stream, tensors, metadata ?? new Dictionary<string, string>()));
    }

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
    /// <param name="path">The file, or the <c>.index.json</c> of several, as Hugging Face publishes large models.</param>
    /// <exception cref="FileNotFoundException">The file is not there, or one that the index names.</exception>
    /// <exception cref="InvalidDataException">It is a folder or no safetensors file, or it is truncated; the message says where.</exception>
    public static SafeTensorsFile Open(string path)
    {
        LibTorch.Require();
        if (Directory.Exists(path)) throw new InvalidDataException($"{path} is a folder: expected a safetensors file, or the .index.json of several.");
        var metadata = new Dictionary<string, string>();
        var entries = new Dictionary<string, SafeTensorsFile.Entry>();
        foreach (string file in path.EndsWith(".index.json", StringComparison.Ordinal) ? Shards(path) : [path]) ReadHeader(file, metadata, entries);
        return new SafeTensorsFile(path, metadata, entries);
    }

    /// <summary>What a file of another format is told: PyTorch's own, or what a download left in the place of weights; null where none is known.</summary>
    internal static string? OtherFormat(string path)
    {
        const int shown = 128;
        Span<byte> start = stackalloc byte[shown];
        using (FileStream stream = File.OpenRead(path))
        {
            start = start[..stream.ReadAtLeast(start, shown, throwOnEndOfStream: false)];
            // The length that a safetensors file begins with may look like anything.
            if (start.Length > 8 && start[8] == (byte)'{' && (ulong)BinaryPrimitives.ReadInt64LittleEndian(start) < (ulong)stream.Length) return null;
        }
        string? format = start is [(byte)'P', (byte)'K', 3, 4, ..] ? "zip" : start is [0x80, <= 5, ..] ? "pickle" : null;
        if (format is not null)
            return $"{path} is no safetensors file but a {format} file, as torch.save writes them (.pth, .pt, .bin). Convert it, in Python:\n"
                + $"import torch, safetensors.torch as s; w = torch.load(r\"{path}\", map_location=\"cpu\"); "
                + "w = w.get(\"model\", w.get(\"state_dict\", w.get(\"teacher\", w)))\n"
                + $"s.save_file({{k: v.clone().contiguous() for k, v in w.items() if torch.is_tensor(v)}}, r\"{Path.ChangeExtension(path, ".safetensors")}\")";
        string text = Encoding.ASCII.GetString(start).TrimStart();
        string? found = text.StartsWith("version https://git-lfs", StringComparison.Ordinal) ? "a pointer of Git LFS to it: fetch the file itself, by git lfs pull"
            : text.StartsWith('<') ? "a page of the web, or an error of its server: download the file itself"
            : text.StartsWith('{') ? "JSON: give the weights that it lies beside"
            : start is [0x1F, 0x8B, ..] ? "compressed by gzip: unpack it first"
            : start is [0x89, (byte)'H', (byte)'D', (byte)'F', ..] ? "an HDF5 file, as Keras writes them: save its tensors by the Python package safetensors"
            : start is [(byte)'G', (byte)'G', (byte)'U', (byte)'F', ..] ? "a GGUF file: expected one of safetensors"
            : start is [8, < 32, 18 or 26 or 34 or 58 or 66, ..] ? "an ONNX file: OnnxEmbedding and OnnxImageModel run these" : null;
        return found is null ? null : $"{path} is no safetensors file but {found}.";
    }

    private static string[] Shards(string index)
    {
        try
        {
            using FileStream stream = File.OpenRead(index);   // unlike bytes it may begin with a byte order mark, as editors on Windows write it
            using JsonDocument json = JsonDocument.Parse(stream);
            string[] names = [.. json.RootElement.GetProperty("weight_map").EnumerateObject().Select(p => p.Value.GetString()!).Distinct()];
            if (names.Any(n => n is null || n != Path.GetFileName(n))) throw new FormatException("a name in weight_map is none of a file beside it");
            return [.. names.Select(n => Path.Combine(Path.GetDirectoryName(index)!, n))];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw new InvalidDataException($"{index} is no index of safetensors files: {e.Message}", e);
        }
    }

    private static void ReadHeader(string path, Dictionary<string, string> metadata, Dictionary<string, SafeTensorsFile.Entry> entries)
    {
        using FileStream stream = File.OpenRead(path);
        InvalidDataException Bad(string why) => new($"{path} is not a valid safetensors file: {why}");
        InvalidDataException Other(string why) => OtherFormat(path) is { } fault ? new(fault) : Bad(why);

        Span<byte> length = stackalloc byte[8];
        if (stream.ReadAtLeast(length, 8, throwOnEndOfStream: false) < 8) throw Other($"it has {stream.Length} bytes, expected at least 8.");
        long headerLength = BinaryPrimitives.ReadInt64LittleEndian(length);
        if (headerLength < 2 || headerLength > MaxHeader || headerLength > stream.Length - 8)
            throw Other($"its first 8 bytes announce a header of {headerLength} bytes in a file of {stream.Length}.");
        byte[] header = new byte[headerLength];
        stream.ReadExactly(header);
        long start = 8 + headerLength, dataLength = stream.Length - start;
        try
        {
            using JsonDocument json = JsonDocument.Parse(header);
            foreach (JsonProperty property in json.RootElement.EnumerateObject())
            {
                if (property.Name == "__metadata__")
                    foreach (JsonProperty text in property.Value.EnumerateObject()) metadata[text.Name] = text.Value.GetString() ?? "";
                else
                    entries.Add(property.Name, Parse(property, path, start, dataLength));
            }
        }
        catch (Exception e) when (
            e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException or IndexOutOfRangeException
                or ArgumentException or OverflowException)
        {
            throw Bad($"its header cannot be read ({e.Message})");
        }
    }

    private static SafeTensorsFile.Entry Parse(JsonProperty property, string path, long dataStart, long dataLength)
    {
        (string name, JsonElement value) = (property.Name, property.Value);
        string dtype = value.GetProperty("dtype").GetString() ?? "null";
        (string? Name, ScalarType Type, int Size) known = s_types.FirstOrDefault(t => t.Name == dtype);
        if (known.Name is null && !s_unread.Contains(dtype)) throw new FormatException($"tensor '{name}' has the unknown type '{dtype}'");
        JsonElement offsets = value.GetProperty("data_offsets");
        (long start, long end) = (offsets[0].GetInt64(), offsets[1].GetInt64());
        long[] shape = [.. value.GetProperty("shape").EnumerateArray().Select(s => s.GetInt64())];
        if (shape.Any(s => s < 0)) throw new FormatException($"tensor '{name}' has a negative size");
        if (start < 0 || end < start || end > dataLength)
            throw new FormatException($"tensor '{name}' lies at bytes {start} to {end} of {dataLength}; the file may be truncated");
        if (known.Name is null) return new SafeTensorsFile.Entry(null, dtype, shape, path, start, end);
        _ = shape.Aggregate(8L, (a, b) => checked(a * Math.Max(1, b)));   // libtorch counts this even where a side is 0
        long expected = shape.Aggregate((long)known.Size, (a, b) => checked(a * b));
        if (end - start != expected) throw new FormatException($"tensor '{name}' of {dtype} [{string.Join(", ", shape)}] has {end - start} bytes, expected {expected}");
        return new SafeTensorsFile.Entry(known.Type, dtype, shape, path, dataStart + start, dataStart + end);
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
    private readonly IReadOnlyDictionary<string, Entry> _entries;

    internal SafeTensorsFile(string path, IReadOnlyDictionary<string, string> metadata, IReadOnlyDictionary<string, Entry> entries) =>
        (Path, Metadata, _entries) = (path, metadata, entries);

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
    /// <exception cref="InvalidDataException">It is of a type that is not read: a number of 4, 6 or 8 bits, unsigned or complex.</exception>
    public Tensor Read(string name)
    {
        Entry entry = Find(name);
        if (entry.Type is not { } type) throw new InvalidDataException($"Tensor '{name}' of {Path} is {entry.TypeName}, which cannot be read here.");
        using FileStream stream = File.OpenRead(entry.File);
        stream.Position = entry.Start;
        Tensor result = empty(entry.Shape, type);
        if (entry.End > entry.Start) stream.ReadExactly(result.bytes);
        return result;
    }

    /// <summary>The SHA-256 of the file, or of all that an index names one after the other.</summary>
    internal string ContentHash()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string path in _entries.Values.Select(e => e.File).Distinct())
        {
            using FileStream stream = File.OpenRead(path);
            hash.AppendData(SHA256.HashData(stream));
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private Entry Find(string name) =>
        _entries.TryGetValue(name, out Entry? entry) ? entry : throw new KeyNotFoundException($"{Path} holds no tensor '{name}'.");

    /// <summary>Where in a file a tensor lies; without a type where it is one that cannot be read.</summary>
    internal sealed record Entry(ScalarType? Type, string TypeName, long[] Shape, string File, long Start, long End);
}
