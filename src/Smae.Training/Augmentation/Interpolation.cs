namespace Smae.Training;

/// <summary>How a pixel between pixels is made.</summary>
public enum Interpolation
{
    /// <summary>A triangle over two pixels.</summary>
    Bilinear,

    /// <summary>Cubic convolution over four pixels, a = -0.5, as Pillow and PyTorch (antialias) resize.</summary>
    Bicubic,
}
