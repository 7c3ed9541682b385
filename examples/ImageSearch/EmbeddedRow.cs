namespace ImageSearch;

/// <summary>An image with its embedding.</summary>
internal sealed class EmbeddedRow
{
    public string ImagePath { get; set; } = "";

    public float[] Embedding { get; set; } = [];
}
