namespace ScoreSavedModel;

/// <summary>What the model takes.</summary>
internal sealed class ImageFile
{
    public string ImagePath { get; set; } = "";
}
