using TorchSharp.Modules;
using TorchSharp.Utils;

namespace Smae.Training;

/// <summary>
/// A vision transformer encoder (Dosovitskiy et al. 2021) that can look at some patches only, as a masked autoencoder needs it (He et al. 2022).
/// Its parameters bear the names of timm and facebookresearch/mae: <c>cls_token</c>, <c>pos_embed</c>, <c>patch_embed.proj</c>,
/// <c>blocks.N.{norm1, attn.qkv, attn.proj, norm2, mlp.fc1, mlp.fc2}</c>, <c>norm</c>, <c>reg_token</c>, <c>blocks.N.{ls1, ls2}.gamma</c>;
/// those of <see cref="VisionTransformerConfig.Fusion"/>, which these do not know, <c>fusion.{proj_layers.N, proj_weights}</c>.
/// </summary>
public sealed class VisionTransformer : nn.Module<Tensor, Tensor>, IPartwiseModel
{
    [ComponentName(Name = "patch_embed")] private readonly PatchEmbed _patchEmbed;
    [ComponentName(Name = "cls_token")] private Parameter? _classToken;
    [ComponentName(Name = "reg_token")] private Parameter? _registers;
    [ComponentName(Name = "pos_embed")] private Tensor _positions;
    [ComponentName(Name = "blocks")] private readonly ModuleList<Block> _blocks;
    [ComponentName(Name = "fusion")] private readonly FeatureFusion? _fusion;
    [ComponentName(Name = "norm")] private readonly LayerNorm? _norm;

    /// <summary>A new encoder with random weights, on the CPU.</summary>
    /// <param name="seed">Seed of the random weights. Default 0.</param>
    /// <exception cref="ArgumentException">The parts of <paramref name="config"/> do not fit together.</exception>
    public VisionTransformer(VisionTransformerConfig config, long seed = 0) : base(ModuleExtensions.Name(nameof(VisionTransformer)))
    {
        ArgumentNullException.ThrowIfNull(config);
        config.Validate();
        Config = config;
        using DisposeScope scope = NewDisposeScope();
        _patchEmbed = new PatchEmbed(config);
        if (config.ClassToken != ClassToken.None) _classToken = new Parameter(zeros(1, 1, config.EmbedDim));
        if (config.RegisterTokens > 0) _registers = new Parameter(zeros(1, config.RegisterTokens, config.EmbedDim));
        _positions = PositionTable.Of(config, config.GridHeight, config.GridWidth, config.ClassToken == ClassToken.First);
        _blocks = new([.. Enumerable.Range(0, config.Depth).Select(_ => new Block(config, Noise))]);
        if (config.Fusion is not null) _fusion = new FeatureFusion(config.Fusion, config.EmbedDim);
        if (config.FinalNorm) _norm = nn.LayerNorm(config.EmbedDim, config.LayerNormEpsilon);
        RegisterComponents();
        this.DetachFromDisposeScopes();
        Initialize(seed);
    }

    /// <summary>The shape of this encoder.</summary>
    public VisionTransformerConfig Config { get; }

    /// <summary>The number format of the matrix products. Default <see cref="Precision.Float32"/>.</summary>
    public Precision Precision { get; set; }

    /// <summary>How much each block of <see cref="VisionTransformerConfig.Fusion"/> counts in the output, adding up to 1; empty without fusion.</summary>
    public IReadOnlyList<float> FusionWeights
    {
        get
        {
            if (_fusion is null) return [];
            using DisposeScope scope = NewDisposeScope();
            using var noGrad = no_grad();
            return _fusion.Shares.cpu().data<float>().ToArray();
        }
    }

    internal ForwardNoise Noise { get; } = new();

    ForwardNoise IPartwiseModel.Noise => Noise;

    int? IPartwiseModel.RowsPerImage => Config.TokenCount;

    /// <summary>How often the last block drops its branches while training (stochastic depth); the first never does, those between linearly. Default 0.</summary>
    public double DropPath
    {
        get => _blocks[^1].DropPath;
        set
        {
            for (int i = 0; i < _blocks.Count; i++) _blocks[i].DropPath = _blocks.Count == 1 ? value : value * i / (_blocks.Count - 1);
        }
    }

    private void Initialize(long seed)
    {
        using var generator = new Generator((ulong)seed);
        var draw = new WeightInitializer(Config.Initialization, generator);
        draw.Xavier(_patchEmbed.Weight);
        draw.XavierLinears(this);
        if (_classToken is not null) draw.Normal(_classToken, draw.ClassTokenStd);
        if (_positions is Parameter learned) draw.Normal(learned, 0.02);
        if (_registers is not null) draw.Normal(_registers, draw.ClassTokenStd);
    }

    /// <summary>Encodes whole images.</summary>
    /// <param name="input">Normalised images, <c>[batch, channels, height, width]</c>.</param>
    /// <returns>All tokens, class token and registers included: <c>[batch, tokens, dim]</c>, float32.</returns>
    /// <exception cref="ArgumentException">The images are not of the size in <see cref="Config"/>.</exception>
    public override Tensor forward(Tensor input) => Encode(CutIntoPatches(input), visible: null);

    /// <summary>Cuts images into patches after checking that they have the size this encoder was made for.</summary>
    /// <param name="images"><c>[batch, channels, height, width]</c>.</param>
    /// <returns><c>[batch, patches, patch * patch * channels]</c>.</returns>
    /// <exception cref="ArgumentException">The images are of another size.</exception>
    public Tensor CutIntoPatches(Tensor images)
    {
        long[] s = images.shape;
        if (s.Length != 4 || s[1] != Config.Channels || s[2] != Config.ImageHeight || s[3] != Config.ImageWidth)
            throw new ArgumentException(
                $"Images have the shape [{string.Join(", ", s)}]: expected [batch, {Config.Channels}, {Config.ImageHeight}, {Config.ImageWidth}].", nameof(images));
        return Patches.FromImages(images, Config.PatchSize);
    }

    /// <summary>Encodes patches, all of them or the visible ones; the hidden ones cost nothing.</summary>
    /// <param name="patches"><c>[batch, patches, patch * patch * channels]</c>.</param>
    /// <param name="visible">Which patches each image shows, <c>[batch, visible]</c>, int64; null shows all.</param>
    /// <returns>Tokens in the order of <paramref name="visible"/>, with the class token where the configuration puts it: <c>[batch, tokens, dim]</c>, float32.</returns>
    public Tensor Encode(Tensor patches, Tensor? visible) => Encode(patches, visible, normalize: true);

    /// <summary>Encodes all patches, hidden ones as a learned token in their place (BEiT, SimMIM): they cost what visible ones cost.</summary>
    /// <param name="patches"><c>[batch, patches, patch * patch * channels]</c>.</param>
    /// <param name="hidden">Where patches are hidden, <c>[batch, patches]</c>, bool or not 0; images may hide as many as they like, or none.</param>
    /// <param name="maskToken">What stands for a hidden patch before its position is added, <c>[1, 1, dim]</c>, float32.</param>
    /// <returns>Tokens of all patches in order, with the class token where the configuration puts it: <c>[batch, tokens, dim]</c>, float32.</returns>
    /// <exception cref="ArgumentException"><paramref name="hidden"/> or <paramref name="maskToken"/> has another shape.</exception>
    public Tensor Encode(Tensor patches, Tensor hidden, Tensor maskToken) =>
        Finish([.. Streams(patches, visible: null, masked: new MaskTokens(hidden, maskToken))]);

    internal Tensor Encode(Tensor patches, Tensor? visible, bool normalize) => Finish([.. Streams(patches, visible)], normalize);

    /// <summary>
    /// The residual stream after each block, class token included, not normalised: <c>[batch, tokens, dim]</c>, float32. A block runs when its
    /// stream is asked for: whoever stops early has not paid for the rest.
    /// </summary>
    /// <param name="grid">Rows and columns of patches; null is the encoder's own grid.</param>
    /// <param name="masked">Which patches are seen as a token only; null is none.</param>
    internal IEnumerable<Tensor> Streams(Tensor patches, Tensor? visible, (int Height, int Width)? grid = null, MaskTokens? masked = null)
    {
        Tensor x = Embed(patches, visible, grid, masked);
        ScalarType compute = Precision.ToScalarType();
        foreach (Block block in _blocks) yield return x = block.forward(x, compute);
    }

    /// <summary>The output of the encoder, made of the streams of all blocks: fused where that is configured, then normalised.</summary>
    internal Tensor Finish(IReadOnlyList<Tensor> streams, bool normalize = true)
    {
        Tensor x = _fusion is null ? streams[^1] : _fusion.forward(streams, Precision.ToScalarType());
        return _norm is null || !normalize ? x : _norm.forward(x);
    }

    /// <summary>Encodes images of any size that patches divide (DINO's small crops); for another grid than its own the positions are interpolated.</summary>
    internal Tensor EncodeCrops(Tensor images, MaskTokens? masked = null)
    {
        (int, int) grid = ((int)images.size(2) / Config.PatchSize, (int)images.size(3) / Config.PatchSize);
        return Finish([.. Streams(Patches.FromImages(images, Config.PatchSize), visible: null, grid, masked)]);
    }

    /// <summary>How much the class token looks at each patch in the last block, head by head.</summary>
    /// <param name="images">Normalised images, <c>[batch, channels, height, width]</c>.</param>
    /// <returns><c>[batch, heads, grid height, grid width]</c>, float32; what a head lacks of 1 goes to the class token itself and to registers.</returns>
    /// <exception cref="ArgumentException">The images are not of the size in <see cref="Config"/>.</exception>
    /// <exception cref="InvalidOperationException">There is no class token.</exception>
    public Tensor ClassTokenAttention(Tensor images)
    {
        if (Config.ClassToken == ClassToken.None) throw new InvalidOperationException("This encoder has no class token, so there is no attention of it.");
        Tensor x = Embed(CutIntoPatches(images), visible: null);
        ScalarType compute = Precision.ToScalarType();
        for (int i = 0; i < _blocks.Count - 1; i++) x = _blocks[i].forward(x, compute);
        bool first = Config.ClassToken == ClassToken.First;
        Tensor weights = _blocks[^1].AttentionWeights(x, compute).select(2, first ? 0 : Config.TokenCount - 1);   // [batch, heads, tokens]
        weights = weights.narrow(2, Config.PrefixTokens, Config.PatchCount).to_type(ScalarType.Float32);
        return weights.reshape(x.size(0), Config.NumHeads, Config.GridHeight, Config.GridWidth);
    }

    private Tensor Embed(Tensor patches, Tensor? visible, (int Height, int Width)? grid = null, MaskTokens? masked = null)
    {
        bool first = Config.ClassToken == ClassToken.First;
        Tensor positions = first ? _positions.narrow(1, 1, Config.PatchCount) : _positions;
        if (grid is { } other && other != (Config.GridHeight, Config.GridWidth))
            positions = ModelWeights.ResizePositions(positions, (Config.GridHeight, Config.GridWidth), other);
        if (visible is not null)
        {
            patches = Patches.Pick(patches, visible);
            positions = Patches.Pick(positions.expand(patches.size(0), -1, -1), visible);
        }
        Tensor x = _patchEmbed.forward(patches, Precision.ToScalarType());
        x = (masked is null ? x : masked.Replace(x)).Plus(positions);
        if (_registers is not null) x = cat([_registers.expand(x.size(0), -1, -1), x], 1);
        if (_classToken is null) return x;
        Tensor token = (first ? _classToken.Plus(_positions.narrow(1, 0, 1)) : _classToken).expand(x.size(0), -1, -1);
        return first ? cat([token, x], 1) : cat([x, token], 1);
    }

    /// <summary>One vector for each image.</summary>
    /// <param name="tokens">What <see cref="forward"/> gave, <c>[batch, tokens, dim]</c>.</param>
    /// <returns><c>[batch, dim]</c>.</returns>
    /// <exception cref="InvalidOperationException">The class token is asked for and there is none.</exception>
    public Tensor Pool(Tensor tokens, Pooling pooling) => pooling switch
    {
        Pooling.Mean => PatchTokens(tokens).mean([1]),
        _ when Config.ClassToken == ClassToken.None => throw new InvalidOperationException("This encoder has no class token: pool by mean."),
        _ => tokens.select(1, Config.ClassToken == ClassToken.First ? 0 : tokens.size(1) - 1),
    };

    /// <summary>Tokens without class token and registers: those of the patches.</summary>
    internal Tensor PatchTokens(Tensor tokens) =>
        tokens.narrow(1, Config.PrefixTokens, tokens.size(1) - Config.PrefixTokens - (Config.ClassToken == ClassToken.Last ? 1 : 0));
}

/// <summary>Patches that an encoder sees as a learned token only.</summary>
/// <param name="Hidden">Which they are, <c>[batch, patches]</c>, bool or not 0.</param>
/// <param name="Token">What it sees instead, before positions are added: <c>[1, 1, dim]</c>.</param>
internal sealed record MaskTokens(Tensor Hidden, Tensor Token)
{
    /// <summary>Embedded patches <c>[batch, patches, dim]</c> with the token where they are hidden, float32.</summary>
    public Tensor Replace(Tensor embedded)
    {
        long[] s = embedded.shape;
        void Check(Tensor given, string name, params long[] shape)
        {
            if (!given.shape.SequenceEqual(shape))
                throw new ArgumentException($"It has the shape [{string.Join(", ", given.shape)}]: expected [{string.Join(", ", shape)}].", name);
        }
        Check(Hidden, "hidden", s[0], s[1]);
        Check(Token, "maskToken", 1, 1, s[2]);
        return where(Hidden.to_type(ScalarType.Bool).unsqueeze(-1), Token, embedded.to_type(ScalarType.Float32));
    }
}

/// <summary>
/// Multi-level feature fusion (Liu et al. 2023, MFF): the residual streams after some blocks, all but the last through a linear layer of their own,
/// added up with weights that are a softmax of learned numbers. Names below <c>fusion.</c> and shapes are those of mmpretrain's <c>MFFViT</c>:
/// <c>proj_layers.N</c>, <c>proj_weights</c> <c>[blocks, 1, 1, 1]</c>.
/// </summary>
internal sealed class FeatureFusion : nn.Module<IReadOnlyList<Tensor>, ScalarType, Tensor>
{
    private readonly BlockList _blocks;
    [ComponentName(Name = "proj_layers")] private readonly ModuleList<Linear> _layers;
    [ComponentName(Name = "proj_weights")] private Parameter _weights;

    public FeatureFusion(BlockList blocks, int dim) : base(nameof(FeatureFusion))
    {
        _blocks = blocks;
        _layers = new ModuleList<Linear>([.. Enumerable.Range(0, blocks.Count - 1).Select(_ => new Linear(dim, dim))]);
        _weights = new Parameter(ones(blocks.Count, 1, 1, 1));
        RegisterComponents();
    }

    public Tensor Shares => _weights.softmax(0).flatten();

    public override Tensor forward(IReadOnlyList<Tensor> streams, ScalarType compute)
    {
        Tensor[] shares = Shares.unbind(0);
        Tensor sum = streams[_blocks[^1]] * shares[^1];
        for (int i = 0; i < _layers.Count; i++) sum = sum.Plus(_layers[i].forward(streams[_blocks[i]].to_type(compute)) * shares[i]);
        return sum;
    }
}

/// <summary>Draws the first weights of a model from one seeded generator: the same seed gives the same model on every device.</summary>
internal sealed class WeightInitializer(WeightInitialization scheme, Generator generator)
{
    private double Gain => scheme == WeightInitialization.Smae ? Math.Sqrt(2) : 1;

    public double ClassTokenStd => scheme == WeightInitialization.Smae ? 1e-6 : 0.02;

    public double MaskTokenStd => scheme == WeightInitialization.Smae ? 1e-3 : 0.02;

    /// <summary>Xavier uniform; a convolution's weight counts as the matrix <c>[dim, channels * patch * patch]</c>.</summary>
    public void Xavier(Tensor weight)
    {
        long outputs = weight.size(0), inputs = weight.numel() / outputs;
        double bound = Gain * Math.Sqrt(6.0 / (inputs + outputs));
        using var _ = no_grad();
        weight.uniform_(-bound, bound, generator);
    }

    public void Normal(Tensor weight, double std)
    {
        using var _ = no_grad();
        weight.normal_(0, std, generator);
    }

    public void XavierLinears(nn.Module module)
    {
        foreach (Linear linear in module.modules().OfType<Linear>()) Xavier(linear.Weight);
    }
}

/// <summary>How the weights of a new model are drawn. Biases start at 0, normalisation layers at 1 and 0.</summary>
public enum WeightInitialization
{
    /// <summary>As facebookresearch/mae: Xavier uniform for every linear layer and the patch projection; class and mask token normal(0, 0.02).</summary>
    Mae,

    /// <summary>As the code of SMAE: Xavier uniform with gain sqrt(2); mask token normal(0, 1e-3), class token normal(0, 1e-6).</summary>
    Smae,
}
