namespace Smae.Training;

/// <summary>The number format in which a model's matrix products run. Weights, optimiser, normalisation and losses are always float32.</summary>
public enum Precision
{
    /// <summary>32-bit floating point throughout: the reference.</summary>
    Float32,

    /// <summary>
    /// Products in bfloat16, everything else in float32 (what PyTorch calls autocast). Faster where the processor has instructions for it
    /// (AVX512-BF16, AMX, NVIDIA since Ampere), slower where it has not.
    /// </summary>
    BFloat16,
}
