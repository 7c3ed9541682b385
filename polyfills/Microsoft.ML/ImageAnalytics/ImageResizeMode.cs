namespace Microsoft.ML.Data;

/// <summary>How a picture is brought to another shape.</summary>
internal enum ImageResizeMode
{
    Pad,
    Fill,
    CropAnchorTop,
    CropAnchorBottom,
    CropAnchorLeft,
    CropAnchorRight,
    CropAnchorCentral,
}
