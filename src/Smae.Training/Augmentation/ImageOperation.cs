namespace Smae.Training;

/// <summary>What the two RandAugments do to images of bytes.</summary>
internal enum ImageOperation
{
    /// <summary>Nothing.</summary>
    None = ImageGroups.None,

    /// <summary>Moves pixels by a linear map: shear, translation, rotation. Six numbers, see <see cref="AffineSampling"/>.</summary>
    Affine,

    /// <summary>A blend with black. Factor and 1 - factor.</summary>
    Brightness,

    /// <summary>A blend with the grey image. Factor and 1 - factor.</summary>
    Color,

    /// <summary>A blend with the mean of the grey image. Factor and 1 - factor.</summary>
    Contrast,

    /// <summary>A blend with the smoothed image. Factor and 1 - factor.</summary>
    Sharpness,

    /// <summary>Keeps the uppermost bits. Their number.</summary>
    Posterize,

    /// <summary>Inverts from a threshold on. The threshold.</summary>
    Solarize,

    /// <summary>Adds to what is below 128. What is added.</summary>
    SolarizeAdd,

    /// <summary>255 less the value.</summary>
    Invert,

    /// <summary>Stretches each channel to 0..255.</summary>
    AutoContrast,

    /// <summary>Spreads each channel so that all values are about as frequent.</summary>
    Equalize,
}
