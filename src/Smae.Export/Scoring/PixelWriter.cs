using Smae.Training;

namespace Smae.Export;

/// <summary>Brings raw pixels, <c>[height, width, channels]</c>, into the form that a file takes.</summary>
internal sealed class PixelWriter
{
    private readonly OnnxInput _kind;
    private readonly int _channels, _places;
    private readonly float[][] _normalized = [];

    public PixelWriter(OnnxInput kind, ImagePreprocessing preprocessing)
    {
        (_kind, _channels, _places) = (kind, preprocessing.Channels, preprocessing.Height * preprocessing.Width);
        if (kind != OnnxInput.NormalizedPlanes) return;
        _normalized = [.. Enumerable.Range(0, _channels).Select(c =>
        {
            float mean = preprocessing.Mean[c] * 255f, scale = 1 / (preprocessing.StandardDeviation[c] * 255f);
            return Enumerable.Range(0, 256).Select(value => (value - mean) * scale).ToArray();
        })];
    }

    /// <summary>Bytes of a number of the input.</summary>
    public int NumberBytes => _kind == OnnxInput.NormalizedPlanes ? sizeof(float) : sizeof(byte);

    /// <summary>Writes images one after the other.</summary>
    /// <param name="images">Their raw pixels.</param>
    /// <param name="target">The input's memory, <see cref="NumberBytes"/> times as long.</param>
    public void Write(ReadOnlySpan<byte> images, Span<byte> target)
    {
        if (_kind == OnnxInput.Bytes)
        {
            images.CopyTo(target);
            return;
        }
        Span<float> floats = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(target);
        int size = _places * _channels;
        for (int at = 0; at < images.Length; at += size)
        for (int c = 0; c < _channels; c++)
        {
            int plane = at + c * _places;
            if (_kind == OnnxInput.PlanarBytes)
                for (int p = 0; p < _places; p++) target[plane + p] = images[at + p * _channels + c];
            else
                for (int p = 0; p < _places; p++) floats[plane + p] = _normalized[c][images[at + p * _channels + c]];
        }
    }
}
