namespace Smae.Export;

/// <summary>The number format of an ONNX file's weights and matrix products. Inputs and outputs are the same in all of them.</summary>
public enum OnnxPrecision
{
    /// <summary>32-bit floating point throughout: agrees with TorchSharp to a few units of the last place.</summary>
    Float32,

    /// <summary>
    /// Weight matrices and products in 16-bit floating point; pixels, normalisation, residual stream, softmax of a classifier and outputs stay
    /// float32. Half the file, and what GPUs are fastest at. A CPU without 16-bit products computes in float32 on the 16-bit weights.
    /// </summary>
    Float16,

    /// <summary>
    /// The products of all transformer blocks in 8-bit integers, everything else float32. Weights are quantised here, a scale for each output
    /// channel; activations when they are computed (dynamic quantisation), one scale for a whole batch: what an image gives depends a little on the
    /// other images of its batch. A quarter of the file; meant for CPUs.
    /// </summary>
    Int8,
}
