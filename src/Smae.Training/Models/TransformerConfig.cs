using System.Collections;
using System.ComponentModel.DataAnnotations;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Smae.Training;

/// <summary>What encoder and decoder have in common: a stack of transformer blocks of one width.</summary>
public abstract record TransformerConfig
{
    /// <summary>Width of a token in channels.</summary>
    [Range(1, int.MaxValue)] public required int EmbedDim { get; init; }

    /// <summary>Number of transformer blocks.</summary>
    [Range(1, int.MaxValue)] public required int Depth { get; init; }

    /// <summary>Number of attention heads in each block; divides <see cref="EmbedDim"/>.</summary>
    [Range(1, int.MaxValue)] public required int NumHeads { get; init; }

    /// <summary>Width of the hidden layer of a block's MLP as a multiple of <see cref="EmbedDim"/>. Default 4.</summary>
    [Range(0, double.MaxValue, MinimumIsExclusive = true)] public double MlpRatio { get; init; } = 4;

    /// <summary>What a block adds its output to. Default <see cref="ResidualStyle.PreNorm"/>.</summary>
    public ResidualStyle Residual { get; init; } = ResidualStyle.PreNorm;

    /// <summary>The MLP's non-linearity. Default <see cref="Activation.Gelu"/>.</summary>
    public Activation Activation { get; init; } = Activation.Gelu;

    /// <summary>How positions are encoded. Default <see cref="PositionEncoding.SineCosine2D"/>.</summary>
    public PositionEncoding Positions { get; init; } = PositionEncoding.SineCosine2D;

    /// <summary>
    /// What the learned factors start at that each channel of a branch's output is multiplied by before it is added to the residual (layer scale: Touvron et al.
    /// 2021, CaiT; DINOv2). Default null: there are none. DINOv2 pretrains with 1e-5.
    /// </summary>
    [Range(0, double.MaxValue, MinimumIsExclusive = true)] public double? LayerScale { get; init; }

    /// <summary>Whether a layer normalisation follows the last block. Default true.</summary>
    public bool FinalNorm { get; init; } = true;

    /// <summary>Added to the variance in every layer normalisation. Default 1e-6.</summary>
    [Range(0, double.MaxValue, MinimumIsExclusive = true)] public double LayerNormEpsilon { get; init; } = 1e-6;

    /// <summary>Probability of dropping an activation in attention output and MLP while training. Default 0.</summary>
    [Range(0.0, 1.0, MaximumIsExclusive = true)] public double Dropout { get; init; }

    internal int MlpDim => (int)(EmbedDim * MlpRatio);

    /// <summary>Weights of the matrix products of all blocks.</summary>
    internal double ProductWeights => (double)Depth * EmbedDim * (4 * EmbedDim + 2 * MlpDim);

    internal virtual IEnumerable<string> Faults(string name)
    {
        foreach (string fault in Rules.Faults(this, $"{name}.")) yield return fault;
        if (NumHeads > 0 && EmbedDim > 0 && EmbedDim % NumHeads != 0)
            yield return $"{name}.NumHeads is {NumHeads}: expected a divisor of {name}.EmbedDim ({EmbedDim}).";
        if (MlpRatio > 0 && MlpRatio * EmbedDim is not (>= 1 and < int.MaxValue))
            yield return $"{name}.MlpRatio is {MlpRatio}: expected a hidden layer of at least one channel, and no more than there can be.";
        if (Positions == PositionEncoding.SineCosine2D && EmbedDim % 4 != 0)
            yield return $"{name}.EmbedDim is {EmbedDim}: two-dimensional sine-cosine positions need a multiple of 4.";
        if (Positions == PositionEncoding.SineCosine1D && EmbedDim % 2 != 0)
            yield return $"{name}.EmbedDim is {EmbedDim}: one-dimensional sine-cosine positions need an even width.";
    }
}

/// <summary>The shape of a masked autoencoder's decoder: the light transformer that turns latents back into pixels and is thrown away after pretraining.</summary>
public sealed record DecoderConfig : TransformerConfig
{
    /// <summary>
    /// Whether the encoder's class token passes through the decoder, as in facebookresearch/mae. Default true. The code of SMAE drops it first.
    /// A class token that stands last (<see cref="ClassToken.Last"/>) is always dropped.
    /// </summary>
    public bool KeepClassToken { get; init; } = true;

    /// <summary>The decoder of facebookresearch/mae for every size: 8 blocks of width 512 with 16 heads.</summary>
    public static DecoderConfig Mae { get; } = new() { EmbedDim = 512, Depth = 8, NumHeads = 16 };

    /// <summary>The decoder of the SMAE paper for ViT-Lite: 2 blocks of width 128 with 4 heads, MLP of 256, ReLU, no norm at the end.</summary>
    public static DecoderConfig Smae { get; } = new()
    {
        EmbedDim = 128, Depth = 2, NumHeads = 4, MlpRatio = 2, Activation = Activation.Relu, Residual = ResidualStyle.Normed,
        Positions = PositionEncoding.SineCosine1D, FinalNorm = false, KeepClassToken = false, LayerNormEpsilon = 1e-5,
    };
}

/// <summary>How a patch is told where it stands in the image.</summary>
public enum PositionEncoding
{
    /// <summary>Fixed table, half of the channels for the column and half for the row, as in facebookresearch/mae.</summary>
    SineCosine2D,

    /// <summary>Fixed table over the running number of the patch, sine and cosine in turn, as in the code of SMAE.</summary>
    SineCosine1D,

    /// <summary>Learned table, normal with a standard deviation of 0.02 at the start, as in ViT and timm.</summary>
    Learned,
}

/// <summary>The non-linearity between the two layers of a block's MLP.</summary>
public enum Activation
{
    /// <summary>Exact Gaussian error linear unit, <c>x * Phi(x)</c> (ViT, MAE).</summary>
    Gelu,

    /// <summary>Rectified linear unit, <c>max(0, x)</c> (the code of SMAE).</summary>
    Relu,
}

/// <summary>What a transformer block adds its output to.</summary>
public enum ResidualStyle
{
    /// <summary><c>x + f(norm(x))</c>: the residual stream is never normalised (ViT, MAE).</summary>
    PreNorm,

    /// <summary><c>norm(x) + f(norm(x))</c>: the residual carries the normed value (the code of SMAE).</summary>
    Normed,
}

/// <summary>Blocks of a transformer, counted from 0: <c>[0, 2, 4, 6, 8, 11]</c>. Two lists of the same blocks are equal. In JSON it is an array.</summary>
[CollectionBuilder(typeof(BlockList), nameof(Create))]
[JsonConverter(typeof(Json))]
public sealed class BlockList : IReadOnlyList<int>, IEquatable<BlockList>
{
    private readonly int[] _blocks;

    private BlockList(int[] blocks) => _blocks = blocks;

    /// <inheritdoc/>
    public int Count => _blocks.Length;

    /// <inheritdoc/>
    public int this[int index] => _blocks[index];

    /// <summary>A list of blocks; what <c>[0, 5, 11]</c> becomes.</summary>
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
