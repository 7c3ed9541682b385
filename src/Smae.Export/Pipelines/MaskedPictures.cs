namespace Smae.Export;

/// <summary>The pictures that are made with a masked autoencoder.</summary>
/// <param name="Masks">
/// Masks one after the other, patches row by row: 1 where a patch is hidden, 0 where it is visible. An image takes the one whose number is the sum of its
/// bytes modulo the number of masks.
/// </param>
/// <param name="Parts">What stands side by side, from left to right.</param>
public sealed record MaskedPictures(byte[] Masks, IReadOnlyList<PicturePart> Parts);
