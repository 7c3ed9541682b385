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
    /// <param name="first">The first token whose query is asked.</param>
    public AttentionShape(Tensor qkv, int heads, int first)
    {
        (_batch, Tokens, First, _heads, Type) = (qkv.size(0), (int)qkv.size(1), first, heads, qkv.dtype);
        _headDim = (int)qkv.size(2) / 3 / heads;
        Layout = (_batch, Tokens, heads, _headDim * (int)qkv.ElementSize);
        QueryLayout = Layout with { Tokens = Queries };
    }

    public int Tokens { get; }

    public int First { get; }

    /// <summary>Tokens whose query is asked.</summary>
    public int Queries => Tokens - First;

    public ScalarType Type { get; }

    public float Scale => (float)(1 / Math.Sqrt(_headDim));

    /// <summary>Rows of scores.</summary>
    public long Rows => _batch * _heads * Queries;

    /// <summary>As <see cref="HeadLayout"/> takes it.</summary>
    public (long Batch, long Tokens, int Heads, int Bytes) Layout { get; }

    /// <summary>The same of the queries' results.</summary>
    public (long Batch, long Tokens, int Heads, int Bytes) QueryLayout { get; }

    /// <summary><c>[batch * heads, tokens, headDim]</c>, not filled.</summary>
    public Tensor NewHeads(int tokens) => empty(_batch * _heads, tokens, _headDim, Type);

    /// <summary><c>[batch, tokens, parts * dim]</c>, not filled.</summary>
    public Tensor NewTokens(int tokens, int parts) => empty(_batch, tokens, (long)parts * _heads * _headDim, Type);
}
