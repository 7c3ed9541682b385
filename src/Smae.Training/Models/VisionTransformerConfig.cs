using System.ComponentModel.DataAnnotations;

namespace Smae.Training;

/// <summary>
/// The shape of a vision transformer encoder (Dosovitskiy et al. 2021). Take a preset and change it with <c>with</c>:
/// <c>VisionTransformerConfig.VitSmall16 with { ImageHeight = 96, ImageWidth = 96, PatchSize = 8 }</c>.
/// </summary>
public sealed record VisionTransformerConfig : TransformerConfig
{
    /// <summary>Height of the images in pixels, a multiple of <see cref="PatchSize"/>.</summary>
    [Range(1, int.MaxValue)] public required int ImageHeight { get; init; }

    /// <summary>Width of the images in pixels, a multiple of <see cref="PatchSize"/>.</summary>
    [Range(1, int.MaxValue)] public required int ImageWidth { get; init; }

    /// <summary>Height and width of a patch in pixels.</summary>
    [Range(1, int.MaxValue)] public required int PatchSize { get; init; }

    /// <summary>Channels of an image. Default 3 (red, green, blue).</summary>
    [Range(1, int.MaxValue)] public int Channels { get; init; } = 3;

    /// <summary>Where the class token stands. Default <see cref="ClassToken.First"/>.</summary>
    public ClassToken ClassToken { get; init; } = ClassToken.First;

    /// <summary>
    /// Learned tokens without a position that stand before the patches, behind a class token that is first, and are dropped after the last block (Darcet et al.
    /// 2024, "Vision Transformers Need Registers"). Default 0. DINOv2 has 4.
    /// </summary>
    [Range(0, int.MaxValue)] public int RegisterTokens { get; init; }

    /// <summary>
    /// The blocks whose features make the encoder's output, before the final norm (MFF: Liu et al. 2023, "Improving Pixel-based MIM by Reducing
    /// Wasted Modeling Capability"): a learned weighted sum of the residual streams after them, all but the last through a linear layer. Ascending
    /// from 0, the last is the encoder's last; the paper's for 12 blocks are <c>[0, 2, 4, 6, 8, 11]</c>. Default null: the last block alone.
    /// </summary>
    public BlockList? Fusion { get; init; }

    /// <summary>How new weights are drawn. Default <see cref="WeightInitialization.Mae"/>.</summary>
    public WeightInitialization Initialization { get; init; } = WeightInitialization.Mae;

    /// <summary>The decoder that the source of this encoder pretrains it with; used where no other is named. Default <see cref="DecoderConfig.Mae"/>.</summary>
    public DecoderConfig DefaultDecoder { get; init; } = DecoderConfig.Mae;

    /// <summary>Rows of patches.</summary>
    public int GridHeight => ImageHeight / PatchSize;

    /// <summary>Columns of patches.</summary>
    public int GridWidth => ImageWidth / PatchSize;

    /// <summary>Patches in an image.</summary>
    public int PatchCount => GridHeight * GridWidth;

    /// <summary>Tokens before those of the patches: a class token that stands first, and registers.</summary>
    public int PrefixTokens => (ClassToken == ClassToken.First ? 1 : 0) + RegisterTokens;

    /// <summary>Tokens of a whole image: its patches, the class token, registers.</summary>
    public int TokenCount => PrefixTokens + PatchCount + (ClassToken == ClassToken.Last ? 1 : 0);

    /// <summary>Numbers in a patch: <c>PatchSize * PatchSize * Channels</c>.</summary>
    public int PatchDim => PatchSize * PatchSize * Channels;

    /// <summary>What is done to images where nobody says otherwise: they are brought to the size.</summary>
    internal ImagePreprocessing UsualPreprocessing => new() { Height = ImageHeight, Width = ImageWidth, Channels = Channels };

    /// <summary>This configuration for square images of another size.</summary>
    /// <param name="imageSize">Height and width in pixels.</param>
    /// <param name="patchSize">Height and width of a patch in pixels; null keeps this one's.</param>
    public VisionTransformerConfig ForImages(int imageSize, int? patchSize = null) =>
        this with { ImageHeight = imageSize, ImageWidth = imageSize, PatchSize = patchSize ?? PatchSize };

    /// <summary>Checks that the parts fit together.</summary>
    /// <exception cref="ArgumentException">Something does not: the message names every fault.</exception>
    public void Validate() => Rules.Check(Faults("Encoder"), nameof(VisionTransformerConfig));

    /// <summary>
    /// ViT-Lite-7/4 as in the SMAE paper: 64x64 images, patch 4, 7 blocks of width 256 with 4 heads and an MLP of 512 (3.7 M parameters);
    /// class token last, one-dimensional positions, ReLU, the normed residual and layer normalisation with 1e-5 as in the paper's code.
    /// </summary>
    public static VisionTransformerConfig VitLite7_4 { get; } = new()
    {
        ImageHeight = 64, ImageWidth = 64, PatchSize = 4, EmbedDim = 256, Depth = 7, NumHeads = 4, MlpRatio = 2,
        ClassToken = ClassToken.Last, Positions = PositionEncoding.SineCosine1D, Residual = ResidualStyle.Normed, Activation = Activation.Relu,
        LayerNormEpsilon = 1e-5, Initialization = WeightInitialization.Smae, DefaultDecoder = DecoderConfig.Smae,
    };

    /// <summary>ViT-Ti/16 as in timm: 224x224 images, 12 blocks of width 192 with 3 heads.</summary>
    public static VisionTransformerConfig VitTiny16 { get; } = Vit(224, 16, 192, 12, 3);

    /// <summary>ViT-S/16 as in timm: 224x224 images, 12 blocks of width 384 with 6 heads.</summary>
    public static VisionTransformerConfig VitSmall16 { get; } = Vit(224, 16, 384, 12, 6);

    /// <summary>ViT-B/16 as in facebookresearch/mae: 224x224 images, 12 blocks of width 768 with 12 heads.</summary>
    public static VisionTransformerConfig VitBase16 { get; } = Vit(224, 16, 768, 12, 12);

    /// <summary>ViT-B/8 for 64x64 images as in "Exploring Masked Autoencoders as Vision Learners" (Tiny ImageNet).</summary>
    public static VisionTransformerConfig VitBase8 { get; } = Vit(64, 8, 768, 12, 12);

    /// <summary>ViT-L/16 as in facebookresearch/mae: 224x224 images, 24 blocks of width 1024 with 16 heads.</summary>
    public static VisionTransformerConfig VitLarge16 { get; } = Vit(224, 16, 1024, 24, 16);

    private static VisionTransformerConfig Vit(int imageSize, int patchSize, int embedDim, int depth, int numHeads) => new()
    {
        ImageHeight = imageSize, ImageWidth = imageSize, PatchSize = patchSize, EmbedDim = embedDim, Depth = depth, NumHeads = numHeads,
    };

    /// <summary>What is wrong with a preprocessing that gives images of another size, one sentence or none.</summary>
    /// <param name="model">What the sentence calls the model.</param>
    internal IEnumerable<string> SizeFaults(string model, ImagePreprocessing p)
    {
        if ((p.Height, p.Width, p.Channels) != (ImageHeight, ImageWidth, Channels))
            yield return $"Preprocessing gives {p.Height}x{p.Width}x{p.Channels}: {model} expects {ImageHeight}x{ImageWidth}x{Channels}.";
    }

    internal override IEnumerable<string> Faults(string name)
    {
        foreach (string fault in base.Faults(name)) yield return fault;
        foreach ((string side, int pixels) in ((string, int)[])[(nameof(ImageHeight), ImageHeight), (nameof(ImageWidth), ImageWidth)])
            if (PatchSize > 0 && pixels % PatchSize != 0) yield return $"{name}.{side} is {pixels}: expected a positive multiple of {name}.PatchSize ({PatchSize}).";
        foreach (string fault in Fusion?.Faults($"{name}.{nameof(Fusion)}", Depth) ?? []) yield return fault;
        if (Fusion is { Count: > 0 } && Fusion[^1] != Depth - 1)
            yield return $"{name}.{nameof(Fusion)} is {Fusion}: expected it to end with the last block, {Depth - 1}.";
    }
}

/// <summary>Where the learned class token stands among the tokens of a <see cref="VisionTransformer"/>.</summary>
public enum ClassToken
{
    /// <summary>No class token: <c>[batch, patches, dim]</c>.</summary>
    None,

    /// <summary>Before all others, as in ViT, timm and facebookresearch/mae: <c>[batch, 1 + patches, dim]</c>.</summary>
    First,

    /// <summary>After the patches and without a position, as in the code of SMAE: <c>[batch, patches + 1, dim]</c>.</summary>
    Last,
}

/// <summary>How the tokens of an image become one vector.</summary>
public enum Pooling
{
    /// <summary>The mean over the tokens of all patches.</summary>
    Mean,

    /// <summary>The class token.</summary>
    ClassToken,
}
