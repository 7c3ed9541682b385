namespace Smae.Training;

/// <summary>How a patch is told where it stands in the image.</summary>
public enum PositionEncoding
{
    /// <summary>Fixed table, half of the channels for the column and half for the row, as in facebookresearch/mae.</summary>
    SineCosine2D,

    /// <summary>Fixed table over the running number of the patch, sine and cosine in turn, as in the code of SMAE.</summary>
    SineCosine1D,

    /// <summary>Learned table, normal with a standard deviation of 0.02 at the start, as in ViT and timm.</summary>
    Learned,
}
