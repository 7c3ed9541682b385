namespace Smae.Export;

/// <summary>What stands in a picture of a reconstruction.</summary>
public enum PicturePart
{
    /// <summary>The image.</summary>
    Original,

    /// <summary>The image with hidden patches in the mean colour.</summary>
    Seen,

    /// <summary>The image with hidden patches as predicted.</summary>
    Completed,
}
