namespace FewLabels;

/// <summary>A row of <c>LoadImageFolder</c>.</summary>
internal sealed class LabelledImage
{
    public string ImagePath { get; set; } = "";

    public string Label { get; set; } = "";
}
