using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>The sizes of one attention.</summary>
/// <param name="Batch">Images.</param>
/// <param name="Tokens">Tokens of each.</param>
/// <param name="Heads">Heads.</param>
/// <param name="HeadDim">Numbers of a head's share of a token.</param>
internal readonly record struct AttentionShape(long Batch, int Tokens, int Heads, int HeadDim)
{
    /// <summary>What scores are multiplied by.</summary>
    public float Scale => (float)(1 / Math.Sqrt(HeadDim));

    /// <summary><c>[batch * heads, tokens, headDim]</c>, not filled.</summary>
    public Tensor NewHeads(ScalarType type) => empty(Batch * Heads, Tokens, HeadDim, type);

    /// <summary><c>[batch * tokens, parts * dim]</c>, not filled.</summary>
    public Tensor NewTokens(int parts, ScalarType type) => empty(Batch * Tokens, (long)parts * Heads * HeadDim, type);
}
