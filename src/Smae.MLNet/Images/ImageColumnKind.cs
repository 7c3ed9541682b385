namespace Smae.MLNet;

/// <summary>What an image column holds.</summary>
internal enum ImageColumnKind
{
    /// <summary>Decoded images (<see cref="Microsoft.ML.Data.MLImage"/>).</summary>
    Image,

    /// <summary>Paths of image files, as text.</summary>
    Path,

    /// <summary>The bytes of image files, as vectors of any size.</summary>
    Bytes,
}
