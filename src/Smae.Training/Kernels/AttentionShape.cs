using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>The sizes of one attention.</summary>
internal sealed class AttentionShape
{
    private readonly long _batch;
    private readonly int _heads;
    private readonly int _headDim;

    /// <param name="qkv"><c>[batch, tokens, 3 * dim]</c>.</param>
    /// <param name="heads">Heads; divides dim.</param>
    public AttentionShape(Tensor qkv, int heads)
    {
        (_batch, Tokens, _heads, Type) = (qkv.size(0), (int)qkv.size(1), heads, qkv.dtype);
        _headDim = (int)qkv.size(2) / 3 / heads;
        Layout = (_batch, Tokens, heads, _headDim * (int)qkv.ElementSize);
    }

    public int Tokens { get; }

    public ScalarType Type { get; }

    public float Scale => (float)(1 / Math.Sqrt(_headDim));

    /// <summary>Rows of scores.</summary>
    public long Rows => _batch * _heads * Tokens;

    /// <summary>As <see cref="HeadLayout"/> takes it.</summary>
    public (long Batch, long Tokens, int Heads, int Bytes) Layout { get; }

    /// <summary><c>[batch * heads, tokens, headDim]</c>, not filled.</summary>
    public Tensor NewHeads() => empty(_batch * _heads, Tokens, _headDim, Type);

    /// <summary><c>[batch, tokens, parts * dim]</c>, not filled.</summary>
    public Tensor NewTokens(int parts) => empty(_batch, Tokens, (long)parts * _heads * _headDim, Type);
}
