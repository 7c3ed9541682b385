using System.Runtime.Intrinsics;

namespace Smae.Training;

/// <summary>A step of AdamW in one pass over memory, in PyTorch's arithmetic.</summary>
/// <param name="Beta1">Decay of the mean of gradients.</param>
/// <param name="Beta2">Decay of the mean of squared gradients.</param>
/// <param name="Kept">What weight decay leaves of a weight.</param>
/// <param name="Rate">Learning rate, divided by what the mean lacks after so few steps.</param>
/// <param name="Correction">Root of what the mean of squares lacks.</param>
/// <param name="Epsilon">Added to the root.</param>
internal readonly unsafe record struct AdamWKernel(float Beta1, float Beta2, float Kept, float Rate, float Correction, float Epsilon)
{
    private const int Width = 16;
    private const long Chunk = 1 << 14;

    /// <summary>Changes weights and moments by gradients.</summary>
    public void Update(float* weights, float* gradients, float* means, float* variances, long count)
    {
        AdamWKernel self = this;
        CpuKernels.For((count + Chunk - 1) / Chunk, (first, end) =>
        {
            long i = first * Chunk, last = Math.Min(count, end * Chunk);
            for (; i + Width <= last; i += Width)
            {
                Vector512<float> g = Vector512.Load(gradients + i);
                Vector512<float> mean = Vector512.Load(means + i) * self.Beta1 + g * (1 - self.Beta1);
                Vector512<float> variance = Vector512.Load(variances + i) * self.Beta2 + g * g * (1 - self.Beta2);
                mean.Store(means + i);
                variance.Store(variances + i);
                Vector512<float> divisor = Vector512.Sqrt(variance) / self.Correction + Vector512.Create(self.Epsilon);
                (Vector512.Load(weights + i) * self.Kept - mean / divisor * self.Rate).Store(weights + i);
            }
            for (; i < last; i++)
            {
                means[i] = means[i] * self.Beta1 + gradients[i] * (1 - self.Beta1);
                variances[i] = variances[i] * self.Beta2 + gradients[i] * gradients[i] * (1 - self.Beta2);
                weights[i] = weights[i] * self.Kept - means[i] / (MathF.Sqrt(variances[i]) / self.Correction + self.Epsilon) * self.Rate;
            }
        });
    }
}
