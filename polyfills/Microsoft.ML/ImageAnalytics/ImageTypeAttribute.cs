using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms.Image;

/// <summary>Marks a member of type <see cref="MLImage"/>, with the size that its pictures have.</summary>
public sealed class ImageTypeAttribute : DataViewTypeAttribute
{
    public ImageTypeAttribute()
    {
    }

    public ImageTypeAttribute(int height, int width)
    {
        Contracts.CheckParam(width > 0, nameof(width), "Should be positive number");
        Contracts.CheckParam(height > 0, nameof(height), "Should be positive number");
        Height = height;
        Width = width;
    }

    internal int Height { get; }

    internal int Width { get; }

    public override bool Equals(DataViewTypeAttribute other) => other is ImageTypeAttribute image && Height == image.Height && Width == image.Width;

    public override int GetHashCode() => HashCode.Combine(Height, Width);

    /// <summary>A marked member needs a size: without one this throws, as the original does.</summary>
    public override void Register() => DataViewTypeManager.Register(new ImageDataViewType(Height, Width), typeof(MLImage), this);
}
