using Microsoft.ML.Transforms.Image;

namespace Smae.MLNet.Tests;

/// <summary>An image by its path, and its label.</summary>
public class PathRow
{
    public string ImagePath { get; set; } = "";

    public string Label { get; set; } = "";
}

/// <summary>An image as the bytes of its file.</summary>
public class BytesRow
{
    public byte[] Bytes { get; set; } = [];
}

/// <summary>An image in memory.</summary>
public class ImageRow
{
    [ImageType(16, 20)]
    public MLImage Image { get; set; } = null!;

    public int Number { get; set; }
}

/// <summary>An embedding.</summary>
public class EmbeddingOnly
{
    [VectorType(TestModels.Width)]
    public float[] Embedding { get; set; } = [];
}
