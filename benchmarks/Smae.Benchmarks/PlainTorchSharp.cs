using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;
using F = TorchSharp.torch.nn.functional;

namespace Smae.Benchmarks;

/// <summary>
/// The peer that always runs: the masked autoencoder of facebookresearch/mae as one writes it with TorchSharp alone, knowing it well. Weights are
/// float32; in bfloat16 they are cast wherever a product needs them, as PyTorch's autocast does.
/// </summary>
internal sealed class PlainTorchSharp : Module<Tensor, Tensor, Tensor>
{
    private readonly ModelShape _shape;
    private readonly double _ratio;
    private readonly ScalarType _type;
    private readonly Linear _patchEmbedProj, _decoderEmbed, _decoderPred;
    private readonly LayerNorm _norm, _decoderNorm;
    private readonly ModuleList<PlainBlock> _blocks, _decoderBlocks;
    private readonly Parameter _clsToken, _maskToken;
    private readonly Tensor _posEmbed, _decoderPosEmbed;

    public PlainTorchSharp(ModelShape shape, double maskRatio, bool bf16) : base(nameof(PlainTorchSharp))
    {
        (_shape, _ratio, _type) = (shape, maskRatio, bf16 ? ScalarType.BFloat16 : ScalarType.Float32);
        int grid = shape.Image / shape.Patch;
        _patchEmbedProj = Linear(shape.PatchDim, shape.Dim);
        _clsToken = Parameter(randn(1, 1, shape.Dim) * 0.02);
        _posEmbed = SineCosine(grid, shape.Dim);
        _blocks = new([.. Enumerable.Range(0, shape.Depth).Select(_ => new PlainBlock(shape.Dim, shape.Heads, shape.Hidden, _type))]);
        _norm = LayerNorm(shape.Dim, 1e-6);
        _decoderEmbed = Linear(shape.Dim, shape.DecoderDim);
        _maskToken = Parameter(randn(1, 1, shape.DecoderDim) * 0.02);
        _decoderPosEmbed = SineCosine(grid, shape.DecoderDim);
        _decoderBlocks = new([.. Enumerable.Range(0, shape.DecoderDepth)
            .Select(_ => new PlainBlock(shape.DecoderDim, shape.DecoderHeads, shape.DecoderHidden, _type))]);
        _decoderNorm = LayerNorm(shape.DecoderDim, 1e-6);
        _decoderPred = Linear(shape.DecoderDim, shape.PatchDim);
        RegisterComponents();
        foreach (Linear layer in modules().OfType<Linear>())
        {
            init.xavier_uniform_(layer.weight!);
            init.zeros_(layer.bias!);
        }
    }

    /// <summary>The loss: mean squared error of the hidden patches, each normalised by its own mean and deviation.</summary>
    /// <param name="images">Normalised images, <c>[batch, 3, height, width]</c>.</param>
    /// <param name="noise">A number for each patch, <c>[batch, patches]</c>: the patches of least noise stay visible.</param>
    /// <returns>A scalar, float32.</returns>
    public override Tensor forward(Tensor images, Tensor noise)
    {
        long batch = images.size(0), patches = _shape.PatchCount, visible = (int)(patches * (1 - _ratio));
        Tensor pixels = Patchify(images), shuffle = noise.argsort(1), restore = shuffle.argsort(1), shown = shuffle.narrow(1, 0, visible);

        Tensor x = Product(_patchEmbedProj, Pick(pixels, shown), _type) + _posEmbed[0, 1..].index_select(0, shown.flatten()).view(batch, visible, -1);
        x = cat([(_clsToken + _posEmbed[.., ..1]).expand(batch, -1, -1), x], 1);
        foreach (PlainBlock block in _blocks) x = block.forward(x);
        x = Product(_decoderEmbed, _norm.forward(x), _type);

        Tensor all = Pick(cat([x[.., 1..], _maskToken.to_type(_type).expand(batch, patches - visible, -1)], 1), restore);
        x = cat([x[.., ..1], all], 1) + _decoderPosEmbed;
        foreach (PlainBlock block in _decoderBlocks) x = block.forward(x);
        Tensor prediction = Product(_decoderPred, _decoderNorm.forward(x)[.., 1..], _type).to_type(ScalarType.Float32);

        Tensor centred = pixels - pixels.mean([-1], keepdim: true);
        Tensor target = centred / (centred.square().sum(-1, keepdim: true) / (_shape.PatchDim - 1) + 1e-6).sqrt();
        Tensor hidden = restore.ge(visible).to_type(ScalarType.Float32);
        return ((prediction - target).square().mean([-1]) * hidden).sum() / hidden.sum();
    }

    /// <summary>Trains for as many rounds as are asked for.</summary>
    public static void Train(SideSettings settings)
    {
        Device device = torch.device(settings.Device);
        int batch = settings.Batch, side = settings.Model.Image;
        using var model = new PlainTorchSharp(settings.Model, settings.Ratio, settings.Bf16).to(device);
        using var optimizer = new AdamW(
            [
                new AdamW.ParamGroup(model.parameters().Where(p => p.dim() > 1), new AdamW.Options { weight_decay = 0.05 }),
                new AdamW.ParamGroup(model.parameters().Where(p => p.dim() <= 1), new AdamW.Options { weight_decay = 0 }),
            ], lr: 1e-4, beta1: 0.9, beta2: 0.95);
        using Tensor images = randint(0, 256, [4 * batch, 3, side, side], dtype: ScalarType.Byte);
        using Tensor mean = tensor([0.485f, 0.456f, 0.406f], [1, 3, 1, 1], device: device);
        using Tensor deviation = tensor([0.229f, 0.224f, 0.225f], [1, 3, 1, 1], device: device);
        RoundGate.Each(() =>
        {
            for (int i = 0; i < settings.Steps; i++)
            {
                using DisposeScope step = NewDisposeScope();
                Tensor picked = images.index_select(0, randint(0, images.size(0), [batch])).to(device);
                optimizer.zero_grad();
                Tensor loss = model.forward((picked.to_type(ScalarType.Float32) / 255 - mean) / deviation, rand(batch, settings.Model.PatchCount, device: device));
                loss.backward();
                optimizer.step();
                loss.ToSingle();
            }
        });
    }

    /// <summary>A linear layer whose product runs in the given type.</summary>
    internal static Tensor Product(Linear layer, Tensor x, ScalarType type) =>
        F.linear(x.to_type(type), layer.weight!.to_type(type), layer.bias!.to_type(type));

    private Tensor Patchify(Tensor images)
    {
        long batch = images.size(0), p = _shape.Patch, grid = _shape.Image / p;
        return images.reshape(batch, 3, grid, p, grid, p).permute(0, 2, 4, 3, 5, 1).reshape(batch, grid * grid, p * p * 3);
    }

    private static Tensor Pick(Tensor tokens, Tensor indices) => tokens.gather(1, indices.unsqueeze(-1).expand(-1, -1, tokens.size(2)));

    /// <summary>Fixed positions, <c>[1, 1 + grid * grid, dim]</c>; the class token's are zero.</summary>
    private static Tensor SineCosine(int grid, int dim)
    {
        Tensor places = arange(grid, dtype: ScalarType.Float64), frequencies = pow(10000, arange(dim / 4, dtype: ScalarType.Float64) / (-dim / 4.0));
        Tensor Of(Tensor positions)
        {
            Tensor angles = positions.unsqueeze(1) * frequencies;
            return cat([angles.sin(), angles.cos()], 1);
        }
        Tensor table = cat([Of(places.repeat(grid)), Of(places.repeat_interleave(grid))], 1).to_type(ScalarType.Float32);
        return cat([zeros(1, dim), table], 0).unsqueeze(0);
    }
}

/// <summary>A pre-norm transformer block. The residual stream is float32.</summary>
internal sealed class PlainBlock : Module<Tensor, Tensor>
{
    private readonly int _heads;
    private readonly ScalarType _type;
    private readonly LayerNorm _norm1, _norm2;
    private readonly Linear _qkv, _proj, _fc1, _fc2;

    public PlainBlock(int dim, int heads, int hidden, ScalarType type) : base(nameof(PlainBlock))
    {
        (_heads, _type) = (heads, type);
        (_norm1, _norm2) = (LayerNorm(dim, 1e-6), LayerNorm(dim, 1e-6));
        (_qkv, _proj, _fc1, _fc2) = (Linear(dim, 3 * dim), Linear(dim, dim), Linear(dim, hidden), Linear(hidden, dim));
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using DisposeScope scope = NewDisposeScope();   // what the backward pass does not need is freed at once
        x = x + Attention(_norm1.forward(x));
        return (x + Product(_fc2, F.gelu(Product(_fc1, _norm2.forward(x))))).MoveToOuterDisposeScope();
    }

    private Tensor Attention(Tensor x)
    {
        long batch = x.size(0), tokens = x.size(1), dim = x.size(2), headDim = dim / _heads;
        Tensor[] qkv = Product(_qkv, x).view(batch, tokens, 3, _heads, headDim).permute(2, 0, 3, 1, 4).unbind(0);
        // On a CPU libtorch's fused attention is the faster one in float32, and takes twice as long as two products and a softmax in bfloat16.
        Tensor mixed = _type == ScalarType.Float32 || x.device_type == DeviceType.CUDA
            ? F.scaled_dot_product_attention(qkv[0], qkv[1], qkv[2])
            : matmul(matmul(qkv[0] * (1 / Math.Sqrt(headDim)), qkv[1].transpose(-2, -1)).softmax(-1), qkv[2]);
        return Product(_proj, mixed.transpose(1, 2).reshape(batch, tokens, dim));
    }

    private Tensor Product(Linear layer, Tensor x) => PlainTorchSharp.Product(layer, x, _type);
}
