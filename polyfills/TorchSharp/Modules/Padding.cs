namespace TorchSharp;

/// <summary>How much is put around the input of a convolution: nothing, or as much as keeps the size.</summary>
public enum Padding
{
    Valid = 0,
    Same = 1,
}
