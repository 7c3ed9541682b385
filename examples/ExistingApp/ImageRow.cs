using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace ExistingApp;

/// <summary>What both models take: the column <c>Image</c>, of any size.</summary>
internal sealed class ImageRow
{
    [ImageType(1, 1)]   // ML.NET wants a size here; the models resize whatever image it is
    public MLImage? Image { get; set; }
}
