namespace TorchSharp;

/// <summary>Which way of a Fourier transform divides by the number of elements.</summary>
public enum FFTNormType
{
    Backward = 0,
    Forward = 1,
    Ortho = 2,
}
