namespace Smae.Training;

/// <summary>How an image of another shape is brought to the model's size. The names of ML.NET's <c>ResizeImages</c> are in brackets.</summary>
public enum ResizeMode
{
    /// <summary>Scale until the image covers the size, cut off what stands over on both sides (IsoCrop).</summary>
    Crop,

    /// <summary>Scale until the image fits into the size, fill the rest with black (IsoPad).</summary>
    Pad,

    /// <summary>Scale both sides by themselves (Fill).</summary>
    Stretch,
}
