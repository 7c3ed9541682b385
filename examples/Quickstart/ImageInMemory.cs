using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace Quickstart;

/// <summary>An image of any size.</summary>
internal sealed class ImageInMemory
{
    [ImageType(1, 1)]   // ML.NET wants a size here; the models resize whatever image it is
    public MLImage? Image { get; set; }
}
