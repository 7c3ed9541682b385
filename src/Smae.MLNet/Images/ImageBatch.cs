using Microsoft.ML;
using Microsoft.ML.Data;

namespace Smae.MLNet;

/// <summary>
/// Collects the images of consecutive rows, then decodes them on all cores. Where the column holds decoded images they are taken over
/// at once, because the next row's image may dispose them.
/// </summary>
internal sealed class ImageBatch
{
    private readonly ImageDecoders _decoders;
    private readonly DataViewRow _row;
    private readonly Action<int> _take;
    private readonly Func<ImageDecoder, int, InvalidDataException?>? _decode;
    private readonly byte[] _pixels;
    private readonly string[] _names;
    private readonly InvalidDataException?[] _problems;
    private readonly int _imageBytes;

    /// <summary>A batch for the images in <paramref name="column"/> of <paramref name="row"/>, wherever the row then stands.</summary>
    public ImageBatch(ImageDecoders decoders, DataViewRow row, DataViewSchema.Column column, ImageColumnKind kind, int capacity)
    {
        _decoders = decoders;
        _row = row;
        _imageBytes = decoders.ImageBytes;
        _pixels = new byte[checked(capacity * _imageBytes)];
        _names = new string[capacity];
        _problems = new InvalidDataException?[capacity];
        (_take, _decode) = kind switch
        {
            ImageColumnKind.Path => TakePaths(row.GetGetter<ReadOnlyMemory<char>>(column)),
            ImageColumnKind.Bytes => TakeBytes(row.GetGetter<VBuffer<byte>>(column), new VBuffer<byte>[capacity]),
            _ => TakeImages(row.GetGetter<MLImage>(column)),
        };
    }

    /// <summary>Images taken since the last <see cref="Clear"/>.</summary>
    public int Count { get; private set; }

    /// <summary>The most images it can hold.</summary>
    public int Capacity => _names.Length;

    /// <summary>The decoded images, Count x H x W x C bytes. What stands at the place of a broken image has no meaning.</summary>
    public ReadOnlySpan<byte> Pixels => _pixels.AsSpan(0, Count * _imageBytes);

    /// <summary>Takes the image of the row as it stands.</summary>
    public void Take()
    {
        _take(Count);
        Count++;
    }

    /// <summary>The decoded image number <paramref name="index"/>, H x W x C bytes.</summary>
    public Span<byte> Image(int index) => _pixels.AsSpan(index * _imageBytes, _imageBytes);

    /// <summary>What is wrong with image number <paramref name="index"/>; null for a good one.</summary>
    public InvalidDataException? Problem(int index) => _problems[index];

    /// <summary>Makes room for the next images.</summary>
    public void Clear() => Count = 0;

    /// <summary>Decodes what was taken.</summary>
    /// <exception cref="OperationCanceledException"><paramref name="cancellation"/> was cancelled.</exception>
    public void Decode(CancellationToken cancellation = default)
    {
        if (_decode is null)
            return;
        if (Count == 1)
        {
            var decoder = _decoders.Rent();
            _problems[0] = _decode(decoder, 0);
            _decoders.Return(decoder);
            return;
        }

        var options = new ParallelOptions { CancellationToken = cancellation, MaxDegreeOfParallelism = Environment.ProcessorCount };
        Parallel.For(0, Count, options, _decoders.Rent, (index, _, decoder) =>
        {
            _problems[index] = _decode(decoder, index);
            return decoder;
        }, _decoders.Return);
    }

    private (Action<int>, Func<ImageDecoder, int, InvalidDataException?>) TakePaths(ValueGetter<ReadOnlyMemory<char>> getter)
    {
        ReadOnlyMemory<char> path = default;
        return (Take, (decoder, index) => decoder.DecodeFile(_names[index], Image(index)));

        void Take(int index)
        {
            getter(ref path);
            _names[index] = path.ToString();
        }
    }

    private (Action<int>, Func<ImageDecoder, int, InvalidDataException?>) TakeBytes(ValueGetter<VBuffer<byte>> getter, VBuffer<byte>[] files)
    {
        return (Take, (decoder, index) => decoder.DecodeBytes(in files[index], _names[index], Image(index)));

        void Take(int index)
        {
            getter(ref files[index]);
            _names[index] = $"row {_row.Position}";
        }
    }

    private (Action<int>, Func<ImageDecoder, int, InvalidDataException?>?) TakeImages(ValueGetter<MLImage> getter)
    {
        // Handed back to the getter each time: ML.NET's loaders dispose the image before when they make the next. We dispose none,
        // since an image may just as well be the user's own.
        MLImage? image = null;
        return (Take, null);

        void Take(int index)
        {
            getter(ref image!);
            if (image is null)
            {
                _problems[index] = new InvalidDataException($"row {_row.Position}: the image is missing (null)");
                return;
            }
            ThrowIfDisposed(image);
            var decoder = _decoders.Rent();
            decoder.Extract(image, Image(index));
            _decoders.Return(decoder);
            _problems[index] = null;
        }
    }

    private void ThrowIfDisposed(MLImage image)
    {
        try
        {
            _ = image.Width;
        }
        catch (InvalidOperationException exception)
        {
            throw new InvalidOperationException(
                $"The image of row {_row.Position} has been disposed. ML.NET disposes images that are held in memory when a pipeline reads " +
                "them through ExtractPixels, or through ResizeImages to the size they have: read such images from files or bytes instead.",
                exception);
        }
    }
}
