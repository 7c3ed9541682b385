namespace Smae.Training;

public sealed partial record VisionTransformerConfig
{
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
}
