namespace TorchSharp;

public static partial class torch
{
    /// <summary>How a tensor is read between its points.</summary>
    public enum GridSampleMode
    {
        Nearest = 0,
        Bilinear = 2,
    }

    /// <summary>What is read outside of a tensor.</summary>
    public enum GridSamplePaddingMode
    {
        Zeros = 0,
        Reflection = 1,
        Border = 2,
    }
}
