using Microsoft.ML;
using Microsoft.ML.Data;

namespace Smae.MLNet;

/// <summary>Reads the images of a row, wherever it then stands, as the column holds them: nothing is decoded.</summary>
internal sealed class ImageReader
{
    private readonly DataViewRow _row;
    private readonly ValueGetter<ReadOnlyMemory<char>>? _paths;
    private readonly ValueGetter<VBuffer<byte>>? _files;
    private readonly ValueGetter<MLImage>? _images;

    // Handed back to the getter each time: ML.NET's loaders dispose the image before when they make the next. We dispose none,
    // since an image may just as well be the user's own.
    private MLImage? _image;

    /// <summary>A reader of <paramref name="column"/> of <paramref name="row"/>.</summary>
    public ImageReader(DataViewRow row, DataViewSchema.Column column, ImageColumnKind kind)
    {
        _row = row;
        Kind = kind;
        switch (kind)
        {
            case ImageColumnKind.Path:
                _paths = row.GetGetter<ReadOnlyMemory<char>>(column);
                break;
            case ImageColumnKind.Bytes:
                _files = row.GetGetter<VBuffer<byte>>(column);
                break;
            default:
                _images = row.GetGetter<MLImage>(column);
                break;
        }
    }

    /// <summary>What the column holds.</summary>
    public ImageColumnKind Kind { get; }

    /// <summary>What messages call the row's image where it has no path.</summary>
    public string Name => $"row {_row.Position}";

    /// <summary>The row's path.</summary>
    public string Path()
    {
        ReadOnlyMemory<char> path = default;
        _paths!(ref path);
        return path.ToString();
    }

    /// <summary>The content of the row's file.</summary>
    public void File(ref VBuffer<byte> file) => _files!(ref file);

    /// <summary>The row's image, which holds until the next is read; null if it is missing.</summary>
    /// <exception cref="InvalidOperationException">The image has been disposed.</exception>
    public MLImage? Image()
    {
        _images!(ref _image!);
        if (_image is not null)
            ThrowIfDisposed(_image);
        return _image;
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
