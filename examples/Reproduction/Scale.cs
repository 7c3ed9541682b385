namespace Reproduction;

/// <summary>How large the experiment is.</summary>
internal enum Scale
{
    /// <summary>A small encoder, 32x32 images and few epochs: for subsets of some 20 classes on two processor cores.</summary>
    Small,

    /// <summary>The SMAE paper's own sizes and schedules: for the whole data sets on a GPU.</summary>
    Paper,

    /// <summary>The other papers' own sizes and schedules, ViT-B/16 on ImageNet: for weeks on a large GPU.</summary>
    ImageNet,

    /// <summary>A minute's run that learns nothing: shows that everything works.</summary>
    Smoke,
}
