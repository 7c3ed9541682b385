using System.Collections;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Smae.Training;

/// <summary>
/// Some blocks of a transformer, counted from 0: <c>[0, 2, 4, 6, 8, 11]</c>. A value: two lists of the same blocks are equal. In JSON it is an array.
/// </summary>
[CollectionBuilder(typeof(BlockList), nameof(Create))]
[JsonConverter(typeof(Json))]
public sealed class BlockList : IReadOnlyList<int>, IEquatable<BlockList>
{
    private readonly int[] _blocks;

    private BlockList(int[] blocks) => _blocks = blocks;

    /// <summary>How many.</summary>
    public int Count => _blocks.Length;

    /// <summary>One of them.</summary>
    public int this[int index] => _blocks[index];

    /// <summary>A list of blocks; what <c>[0, 5, 11]</c> becomes.</summary>
    /// <param name="blocks">The blocks, counted from 0.</param>
    public static BlockList Create(ReadOnlySpan<int> blocks) => new(blocks.ToArray());

    /// <inheritdoc/>
    public IEnumerator<int> GetEnumerator() => _blocks.AsEnumerable().GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <inheritdoc/>
    public bool Equals(BlockList? other) => other is not null && _blocks.AsSpan().SequenceEqual(other._blocks);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as BlockList);

    /// <inheritdoc/>
    public override int GetHashCode() => _blocks.Aggregate(0, HashCode.Combine);

    /// <summary>The blocks in brackets.</summary>
    public override string ToString() => $"[{string.Join(", ", _blocks)}]";

    /// <summary>What is wrong with this list, one sentence each.</summary>
    internal IEnumerable<string> Faults(string name, int depth)
    {
        if (_blocks.Length == 0) yield return $"{name} is empty: expected at least one block.";
        foreach (int block in _blocks)
            if (block < 0 || block >= depth) yield return $"{name} names block {block} of {depth}: expected a number from 0 to {depth - 1}.";
        if (_blocks.Zip(_blocks.Skip(1)).Any(pair => pair.First >= pair.Second))
            yield return $"{name} is {this}: expected ascending numbers, each once.";
    }

    private sealed class Json : JsonConverter<BlockList>
    {
        public override BlockList? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            JsonSerializer.Deserialize<int[]>(ref reader, options) is { } blocks ? new BlockList(blocks) : null;

        public override void Write(Utf8JsonWriter writer, BlockList value, JsonSerializerOptions options) =>
            JsonSerializer.Serialize(writer, value._blocks, options);
    }
}
