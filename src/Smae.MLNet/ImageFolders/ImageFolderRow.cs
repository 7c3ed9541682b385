namespace Smae.MLNet;

/// <summary>A row of an image folder; ML.NET makes a column of each property.</summary>
internal sealed class ImageFolderRow
{
    public string ImagePath { get; set; } = "";

    public string Label { get; set; } = "";
}
