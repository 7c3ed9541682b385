namespace Smae.MLNet;

/// <summary>A part of an image data set on disk.</summary>
public enum ImageFolderSplit
{
    /// <summary>Every labelled image there is, of all splits. The default.</summary>
    All,

    /// <summary>The images to train on.</summary>
    Train,

    /// <summary>The images to choose settings by.</summary>
    Validation,

    /// <summary>The images to report results on.</summary>
    Test,
}
