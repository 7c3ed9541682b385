using System.Collections.Concurrent;
using Smae.Training;

namespace Smae.MLNet;

/// <summary>Decoders of one preprocessing for any number of threads: made as needed, kept for the next use.</summary>
internal sealed class ImageDecoders
{
    private readonly ImagePreprocessing _preprocessing;
    private readonly ImageResizer _resizer;
    private readonly ConcurrentBag<ImageDecoder> _idle = [];

    /// <exception cref="ArgumentException">ML.NET's images cannot give that number of channels.</exception>
    public ImageDecoders(ImagePreprocessing preprocessing)
    {
        if (preprocessing.Channels is not (1 or 3 or 4))
        {
            throw new ArgumentException(
                $"The encoder takes images of {preprocessing.Channels} channels: expected 1 (grey), 3 (red, green, blue) or 4 (and alpha).",
                nameof(preprocessing));
        }
        _preprocessing = preprocessing;
        _resizer = new ImageResizer(preprocessing);
    }

    /// <summary>What is done to an image.</summary>
    public ImagePreprocessing Preprocessing => _preprocessing;

    /// <summary>Bytes of a decoded image: height x width x channels.</summary>
    public int ImageBytes => _preprocessing.ByteCount;

    /// <summary>A decoder for one thread, until it is given back.</summary>
    public ImageDecoder Rent() => _idle.TryTake(out var decoder) ? decoder : new ImageDecoder(_resizer, _preprocessing.Channels);

    public void Return(ImageDecoder decoder) => _idle.Add(decoder);
}
