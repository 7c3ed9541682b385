using System.Runtime.InteropServices;
using TorchSharp.Modules;
using TorchSharp.Utils;

namespace Smae.Training;

/// <summary>A transformer block: attention, then MLP, each with its normalisation and residual (timm's <c>blocks.N</c>).</summary>
internal class Block : nn.Module<Tensor, ScalarType, Tensor>
{
    private readonly TransformerConfig _config;
    private readonly ForwardNoise _noise;
    [ComponentName(Name = "norm1")] private readonly LayerNorm _norm1;
    [ComponentName(Name = "attn")] private readonly Attention _attention;
    [ComponentName(Name = "ls1")] private readonly LayerScale? _scale1;
    [ComponentName(Name = "norm2")] private readonly LayerNorm _norm2;
    [ComponentName(Name = "mlp")] private readonly Mlp _mlp;
    [ComponentName(Name = "ls2")] private readonly LayerScale? _scale2;

    public Block(TransformerConfig config, ForwardNoise noise) : base(nameof(Block))
    {
        (_config, _noise) = (config, noise);
        _norm1 = nn.LayerNorm(config.EmbedDim, config.LayerNormEpsilon);
        _attention = new Attention(config, noise);
        _norm2 = nn.LayerNorm(config.EmbedDim, config.LayerNormEpsilon);
        _mlp = new Mlp(config, noise);
        if (config.LayerScale is { } start) (_scale1, _scale2) = (new LayerScale(config.EmbedDim, start), new LayerScale(config.EmbedDim, start));
        RegisterComponents();
    }

    /// <summary>Probability of dropping a branch of an image while training.</summary>
    public double DropPath { get; set; }

    public override Tensor forward(Tensor x, ScalarType compute) => forward(x, compute, first: 0);

    /// <param name="x">The residual stream <c>[batch, tokens, dim]</c>, float32.</param>
    /// <param name="first">The first token that is asked for; those before it are only looked at.</param>
    /// <returns>The residual stream after this block, <c>[batch, tokens - first, dim]</c>, float32.</returns>
    public Tensor forward(Tensor x, ScalarType compute, long first)
    {
        // What backward does not need is freed at once: else a whole batch's tensors of all blocks stand in memory together, which no cache holds.
        using DisposeScope scope = NewDisposeScope();
        return Think(Look(x, compute, first), compute).MoveToOuterDisposeScope();
    }

    /// <summary>The first half, attention.</summary>
    protected Tensor Look(Tensor x, ScalarType compute, long first) =>
        Add(x, _norm1, normed => _attention.forward(normed, first), _scale1, compute, first);

    /// <summary>The second half, the MLP.</summary>
    protected Tensor Think(Tensor x, ScalarType compute) => Add(x, _norm2, _mlp.forward, _scale2, compute);

    /// <summary>See <see cref="Attention.Weights"/>; <paramref name="x"/> is the residual stream.</summary>
    public Tensor AttentionWeights(Tensor x, ScalarType compute) => _attention.Weights(_norm1.forward(x).to_type(compute));

    /// <summary>Adds a branch of the normalised stream to the stream.</summary>
    protected Tensor Add(Tensor x, LayerNorm norm, Func<Tensor, Tensor> branch, LayerScale? scale, ScalarType compute, long first = 0)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor normed = norm.forward(x);
        Tensor added = branch(normed.to_type(compute));
        if (scale is not null) added = scale.forward(added);
        if (training) added = _noise.DropPath(added, DropPath);
        Tensor carried = _config.Residual == ResidualStyle.Normed ? normed : x;
        if (first > 0) carried = carried.narrow(1, first, carried.size(1) - first);
        return carried.Plus(added).MoveToOuterDisposeScope();   // float32 + bfloat16 gives float32
    }
}

/// <summary>Multi-head self-attention with one projection for queries, keys and values (timm's <c>attn.qkv</c> and <c>attn.proj</c>).</summary>
internal sealed class Attention : nn.Module<Tensor, long, Tensor>
{
    private const int FewTokens = 128;
    private readonly int _heads, _headDim;
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

    /// <param name="x"><c>[batch, tokens, dim]</c>.</param>
    /// <param name="first">The first token that is asked for; those before it are only looked at.</param>
    /// <returns><c>[batch, tokens - first, dim]</c>.</returns>
    public override Tensor forward(Tensor x, long first)
    {
        long batch = x.size(0), tokens = x.size(1) - first;
        Tensor[] qkv = Heads(x);
        x = Attend(qkv[0].narrow(2, first, tokens), qkv[1], qkv[2]).transpose(1, 2).reshape(batch, tokens, _heads * _headDim);
        x = _proj.forward(x);
        return training ? _noise.Dropout(x, _dropout) : x;
    }

    /// <summary>How much each token looks at each other one: <c>[batch, heads, tokens, tokens]</c>, each row adding up to 1.</summary>
    public Tensor Weights(Tensor x)
    {
        Tensor[] qkv = Heads(x);
        return Scores(qkv[0], qkv[1]).softmax(-1);
    }

    /// <summary>Queries, keys and values, each <c>[batch, heads, tokens, headDim]</c>.</summary>
    private Tensor[] Heads(Tensor x) => _qkv.forward(x).view(x.size(0), x.size(1), 3, _heads, _headDim).permute(2, 0, 3, 1, 4).unbind(0);

    private Tensor Scores(Tensor query, Tensor key) => matmul(query.Times(1 / Math.Sqrt(_headDim)), key.transpose(-2, -1));

    private Tensor Attend(Tensor query, Tensor key, Tensor value)
    {
        // libtorch's fused attention saves the matrix of scores. On a CPU it pays where that is large; in bfloat16 it takes twice as long as plain products.
        if (query.device_type == DeviceType.CUDA || (query.dtype == ScalarType.Float32 && key.size(2) > FewTokens))
            return nn.functional.scaled_dot_product_attention(query, key, value);
        return matmul(Scores(query, key).softmax(-1), value);
    }
}

/// <summary>A learned factor for each channel (timm's <c>ls1.gamma</c> and <c>ls2.gamma</c>).</summary>
internal sealed class LayerScale : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "gamma")] private Parameter _gamma;

    public LayerScale(int dim, double start) : base(nameof(LayerScale))
    {
        _gamma = new Parameter(TensorArithmetic.Full([dim], start, ScalarType.Float32));
        RegisterComponents();
    }

    public override Tensor forward(Tensor input) => input * _gamma;   // float32, whatever the branch ran in
}

/// <summary>The two-layer perceptron of a transformer block (timm's <c>mlp.fc1</c> and <c>mlp.fc2</c>).</summary>
internal sealed class Mlp : nn.Module<Tensor, Tensor>
{
    private readonly Activation _activation;
    private readonly double _dropout;
    private readonly ForwardNoise _noise;
    [ComponentName(Name = "fc1")] private readonly Linear _fc1;
    [ComponentName(Name = "fc2")] private readonly Linear _fc2;

    public Mlp(TransformerConfig config, ForwardNoise noise) : base(nameof(Mlp))
    {
        (_activation, _dropout, _noise) = (config.Activation, config.Dropout, noise);
        _fc1 = new Linear(config.EmbedDim, config.MlpDim);
        _fc2 = new Linear(config.MlpDim, config.EmbedDim);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        x = _fc1.forward(x);
        x = _activation == Activation.Gelu ? nn.functional.gelu(x) : nn.functional.relu(x);
        if (training) x = _noise.Dropout(x, _dropout);
        x = _fc2.forward(x);
        return training ? _noise.Dropout(x, _dropout) : x;
    }
}

/// <summary>A linear layer whose weights stay float32 and are cast to the type of its input: the product runs in the precision the caller chose.</summary>
internal sealed class Linear : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "weight")] private Parameter _weight;
    [ComponentName(Name = "bias")] private Parameter _bias;

    public Linear(int inputs, int outputs) : base(nameof(Linear))
    {
        (_weight, _bias) = (new Parameter(zeros(outputs, inputs)), new Parameter(zeros(outputs)));
        RegisterComponents();
    }

    public Parameter Weight => _weight;

    public override Tensor forward(Tensor input) => nn.functional.linear(input, _weight.to_type(input.dtype), _bias.to_type(input.dtype));
}

internal static class ModuleExtensions
{
    /// <summary>The name of a module, after making sure that libtorch is there: what a constructor evaluates first.</summary>
    public static string Name(string name)
    {
        LibTorch.Require();
        return name;
    }

    /// <summary>Sees to it that a model has its weights, and gives one, to see where they are.</summary>
    /// <exception cref="ObjectDisposedException">The model has been disposed, and has no weights.</exception>
    public static Tensor RequireWeight(this nn.Module model) => model.parameters().FirstOrDefault() ?? throw new ObjectDisposedException(model.GetType().FullName);

    public static ScalarType ToScalarType(this Precision precision) => precision == Precision.BFloat16 ? ScalarType.BFloat16 : ScalarType.Float32;

    /// <summary>A model lives until it is disposed, whatever dispose scope it happens to be made in.</summary>
    public static void DetachFromDisposeScopes(this nn.Module module)
    {
        foreach (Parameter parameter in module.parameters()) parameter.DetachFromDisposeScope();
        foreach (Tensor buffer in module.buffers()) buffer.DetachFromDisposeScope();
    }
}

/// <summary>
/// Dropout and drop path. All blocks of a model share one; a training step says which images come: what is dropped of one follows from seed, step and its
/// place in the batch, not from the others or from where it is worked on.
/// </summary>
internal sealed class ForwardNoise
{
    private readonly ThreadLocal<Batch?> _batch = new();

    /// <summary>Begins with images of a batch, on this thread; until then, and after <see cref="End"/>, libtorch's own random numbers are drawn.</summary>
    /// <param name="first">The place of the first of them in the batch.</param>
    /// <param name="count">How many; a tensor of a multiple of them has all of them once, then all again.</param>
    public void Begin(long seed, int first, int count) => _batch.Value = new Batch(seed, first, count);

    public void End() => _batch.Value = null;

    public Tensor Dropout(Tensor x, double probability) => probability == 0 ? x : x * Keep(x.shape, probability, x);

    /// <summary>Drops a residual branch <c>[batch, tokens, dim]</c> of whole images and scales up the others (stochastic depth, Huang et al. 2016).</summary>
    public Tensor DropPath(Tensor branch, double probability) => probability == 0 ? branch : branch * Keep([branch.size(0), 1, 1], probability, branch);

    private Tensor Keep(long[] shape, double probability, Tensor like)
    {
        using var noGrad = no_grad();
        Tensor keep = empty(shape, ScalarType.Float32);
        if (_batch.Value is { } batch) batch.Draw(keep, 1 - probability);
        else keep.bernoulli_(1 - probability);
        return keep.DivideInPlace(1 - probability).to_type(like.dtype).Upload(like.device);
    }

    private sealed class Batch(long seed, int first, int count)
    {
        private int _draws;

        /// <summary>Draws ones with a probability, else zeros, image by image.</summary>
        public void Draw(Tensor keep, double probability)
        {
            long ofDraw = RandomStream.Mix(seed, _draws++);
            Span<float> values = MemoryMarshal.Cast<byte, float>(keep.bytes);
            int size = values.Length / (int)keep.size(0);
            for (int row = 0; row < keep.size(0); row++)
            {
                var random = new RandomSequence(RandomStream.Mix(RandomStream.Mix(ofDraw, row / count), first + row % count));
                random.FillChances(values.Slice(row * size, size), probability);
            }
        }
    }
}

/// <summary>A model that several threads may run or train together, each on images and with random numbers of its own.</summary>
internal interface IPartwiseModel
{
    ForwardNoise Noise { get; }

    /// <summary>Rows that an image adds to the matrix products, the tokens of a transformer; null where an image depends on the others of its batch.</summary>
    int? RowsPerImage { get; }
}
