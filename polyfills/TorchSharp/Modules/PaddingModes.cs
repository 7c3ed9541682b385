namespace TorchSharp;

/// <summary>What is put around a tensor that is padded.</summary>
public enum PaddingModes
{
    Zeros = 0,
    Reflect = 1,
    Replicate = 2,
    Circular = 3,
    Constant = 4,
}
