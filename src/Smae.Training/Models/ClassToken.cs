namespace Smae.Training;

/// <summary>Where the learned class token stands among the tokens of a <see cref="VisionTransformer"/>.</summary>
public enum ClassToken
{
    /// <summary>No class token: <c>[batch, patches, dim]</c>.</summary>
    None,

    /// <summary>Before the patches, as in ViT, timm and facebookresearch/mae: <c>[batch, 1 + patches, dim]</c>.</summary>
    First,

    /// <summary>After the patches and without a position, as in the code of SMAE: <c>[batch, patches + 1, dim]</c>.</summary>
    Last,
}
