using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>What a masked autoencoder made of a batch of images.</summary>
/// <param name="Patches">The patches of the images, <c>[batch, patches, patch * patch * channels]</c>.</param>
/// <param name="Latent">The encoded visible patches, class token included, <c>[batch, tokens, dim]</c>.</param>
/// <param name="Prediction">
/// The decoder's prediction of every patch: <c>[batch, patches, patch * patch * channels]</c> for pixels, <c>[batch, patches, dim]</c> for features.
/// </param>
/// <param name="Mask">Which patches were hidden.</param>
public sealed record Reconstruction(Tensor Patches, Tensor Latent, Tensor Prediction, PatchMask Mask);
