using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>Multi-head self-attention with one projection for queries, keys and values (timm's <c>attn.qkv</c> and <c>attn.proj</c>).</summary>
internal sealed class Attention : nn.Module<Tensor, Tensor>
{
    private readonly int _heads;
    private readonly int _headDim;
    private readonly double _dropout;
    private readonly ForwardNoise _noise;
    [ComponentName(Name = "qkv")] private readonly Linear _qkv;
    [ComponentName(Name = "proj")] private readonly Linear _proj;

    public Attention(TransformerConfig config, ForwardNoise noise) : base(nameof(Attention))
    {
        (_heads, _headDim, _dropout, _noise) = (config.NumHeads, config.EmbedDim / config.NumHeads, config.Dropout, noise);
        _qkv = new Linear(config.EmbedDim, 3 * config.EmbedDim);
        _proj = new Linear(config.EmbedDim, config.EmbedDim);
        RegisterComponents();
    }

    public Linear Qkv => _qkv;

    public Linear Projection => _proj;

    /// <param name="x"><c>[batch, tokens, dim]</c>.</param>
    public override Tensor forward(Tensor x) => forward(x, first: 0);

    /// <param name="x"><c>[batch, tokens, dim]</c>.</param>
    /// <param name="first">The first token that is asked for; those before it are only looked at.</param>
    /// <returns><c>[batch, tokens - first, dim]</c>.</returns>
    public Tensor forward(Tensor x, long first)
    {
        long batch = x.size(0), tokens = x.size(1) - first;
        Tensor[] qkv = Heads(_qkv.forward(x));
        x = Attend(qkv[0].narrow(2, first, tokens), qkv[1], qkv[2]).transpose(1, 2).reshape(batch, tokens, _heads * _headDim);
        x = _proj.forward(x);
        return training ? _noise.Dropout(x, _dropout) : x;
    }

    /// <summary>How much each token looks at each other one: what <see cref="forward(Tensor)"/> mixes the values by, and never makes as such.</summary>
    /// <param name="x"><c>[batch, tokens, dim]</c>.</param>
    /// <returns><c>[batch, heads, tokens, tokens]</c>, each row adding up to 1.</returns>
    public Tensor Weights(Tensor x)
    {
        Tensor[] qkv = Heads(_qkv.forward(x));
        return Scores(qkv[0], qkv[1]).softmax(-1);
    }

    /// <summary>Queries, keys and values, each <c>[batch, heads, tokens, headDim]</c>.</summary>
    private Tensor[] Heads(Tensor qkv) => qkv.view(qkv.size(0), qkv.size(1), 3, _heads, _headDim).permute(2, 0, 3, 1, 4).unbind(0);

    private Tensor Scores(Tensor query, Tensor key) => matmul(query.mul(1 / Math.Sqrt(_headDim)), key.transpose(-2, -1));

    private Tensor Attend(Tensor query, Tensor key, Tensor value)
    {
        // libtorch's fused attention is the faster one except in bfloat16 on a CPU, where it runs several times slower than plain products.
        if (query.dtype == ScalarType.Float32 || query.device_type == DeviceType.CUDA)
            return nn.functional.scaled_dot_product_attention(query, key, value);
        return matmul(Scores(query, key).softmax(-1), value);
    }
}
