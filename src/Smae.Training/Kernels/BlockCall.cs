using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>What a block is asked for, beside its tensors.</summary>
/// <param name="Compute">The type that the products run in, float32 or bfloat16.</param>
/// <param name="Heads">Attention heads.</param>
/// <param name="First">The first token that is asked for; those before it are only looked at.</param>
/// <param name="CarriesNormed">Whether the residual stream carries its normalised value on (<see cref="ResidualStyle.Normed"/>).</param>
/// <param name="Activation">The MLP's activation.</param>
/// <param name="Epsilon">Added to the variance in both normalisations.</param>
/// <param name="AttentionFactors">What each image's attention is multiplied by (drop path); null is 1.</param>
/// <param name="MlpFactors">What each image's MLP is multiplied by; null is 1.</param>
internal sealed record BlockCall(
    ScalarType Compute, int Heads, int First, bool CarriesNormed, Activation Activation, double Epsilon, float[]? AttentionFactors, float[]? MlpFactors);
