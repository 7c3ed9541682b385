namespace Smae.Export;

/// <summary>What an ONNX file takes for an image.</summary>
public enum OnnxInput
{
    /// <summary>
    /// Raw pixels, uint8, <c>[batch, height, width, channels]</c>, as decoders give them; the file casts, scales and normalises them.
    /// </summary>
    Bytes,

    /// <summary>Raw pixels, uint8, <c>[batch, channels, height, width]</c>; the file casts, scales and normalises them.</summary>
    PlanarBytes,

    /// <summary>
    /// Pixels that are normalised already, float32, <c>[batch, channels, height, width]</c>: <c>(byte / 255 - mean) / deviation</c>.
    /// </summary>
    NormalizedPlanes,
}
