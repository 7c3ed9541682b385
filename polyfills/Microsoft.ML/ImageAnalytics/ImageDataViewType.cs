using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms.Image;

/// <summary>The type of a column of pictures; height and width are 0 where they are not known.</summary>
public sealed class ImageDataViewType : StructuredDataViewType
{
    public readonly int Height;
    public readonly int Width;

    public ImageDataViewType(int height, int width)
        : base(typeof(MLImage))
    {
        Contracts.CheckParam(height > 0, nameof(height), "Must be positive.");
        Contracts.CheckParam(width > 0, nameof(width), " Must be positive.");
        Contracts.CheckParam((long)height * width <= int.MaxValue / 4, nameof(height), "height * width is too large.");
        Height = height;
        Width = width;
    }

    public ImageDataViewType()
        : base(typeof(MLImage))
    {
    }

    public override bool Equals(DataViewType other) => other is ImageDataViewType image && Height == image.Height && Width == image.Width;

    public override int GetHashCode() => HashCode.Combine(Height, Width);

    public override string ToString() => Height == 0 && Width == 0 ? "Image" : $"Image<{Height}, {Width}>";
}
