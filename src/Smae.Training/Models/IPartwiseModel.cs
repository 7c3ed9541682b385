namespace Smae.Training;

/// <summary>
/// A model whose dropout draws from a source that a training step sets for each thread, and which may treat each image for itself: then several threads
/// may train it together, each on images of its own.
/// </summary>
internal interface IPartwiseModel
{
    ForwardNoise Noise { get; }

    /// <summary>Rows that an image adds to the matrix products, the tokens of a transformer; null where an image depends on the others of its batch.</summary>
    int? RowsPerImage { get; }
}
