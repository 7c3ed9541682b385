using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>Random masking by sorting uniform noise (He et al. 2022).</summary>
internal sealed record RandomMasking(double Share) : Masking(Share)
{
    public override PatchMask Draw(long batch, int gridHeight, int gridWidth, Generator generator)
    {
        using Tensor noise = rand(batch, (long)gridHeight * gridWidth, generator: generator);
        return PatchMask.FromNoise(noise, Ratio);
    }
}
