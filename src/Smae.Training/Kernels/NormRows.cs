using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>Where the numbers of a layer normalisation lie.</summary>
/// <param name="weight">Scale, <c>[length]</c>, float32.</param>
/// <param name="bias">Shift, <c>[length]</c>, float32.</param>
/// <param name="statistics">Mean and inverse deviation of each row, <c>[rows, 2]</c>, float32: written forwards, read on the way back.</param>
/// <param name="epsilon">Added to the variance.</param>
internal readonly unsafe struct NormRows(Tensor weight, Tensor bias, Tensor statistics, double epsilon)
{
    public readonly float* Weight = CpuKernels.Pointer<float>(weight);
    public readonly float* Bias = CpuKernels.Pointer<float>(bias);
    public readonly float* Statistics = CpuKernels.Pointer<float>(statistics);
    public readonly float Epsilon = (float)epsilon;
}
