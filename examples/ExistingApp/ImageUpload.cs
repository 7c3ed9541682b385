using Microsoft.ML.Data;
using SkiaSharp;

namespace ExistingApp;

/// <summary>Reads the image of a request: the body itself, or the first file of a form.</summary>
internal static class ImageUpload
{
    public const int MaxBytes = 8 * 1024 * 1024, MaxPixels = 100_000_000;

    /// <exception cref="BadImageException">There is no image, it is too large, or it is none that can be decoded.</exception>
    public static async Task<MLImage> Read(HttpRequest request, CancellationToken cancellation)
    {
        using var content = new MemoryStream();
        try
        {
            if (request.HasFormContentType)
            {
                IFormCollection form = await request.ReadFormAsync(cancellation);
                IFormFile file = form.Files.FirstOrDefault() ?? throw new BadImageException("The form holds no file: send the image as a file field.");
                await file.CopyToAsync(content, cancellation);
            }
            else await request.Body.CopyToAsync(content, cancellation);
        }
        catch (BadHttpRequestException e)
        {
            throw TooLargeOr(e);
        }
        catch (InvalidDataException e)
        {
            throw new BadImageException($"The form cannot be read: {e.Message}");
        }
        if (content.Length == 0) throw new BadImageException("The request is empty: send the bytes of an image file.");
        if (content.Length > MaxBytes) throw TooLarge();
        long length = content.Length;
        content.Position = 0;
        return Decode(content) ?? throw new BadImageException($"The {length} bytes are no image that can be decoded: expected a JPEG, PNG, WebP, GIF or BMP file.");
    }

    /// <summary>
    /// Decodes an image upright, as its EXIF data says, and on white: ML.NET's own decoder leaves photographs on their side, and what is transparent black.
    /// </summary>
    /// <returns>The image; null where the bytes are none, or only a part of one.</returns>
    /// <exception cref="BadImageException">It has too many pixels.</exception>
    public static MLImage? Decode(Stream content)
    {
        using SKCodec? codec = SKCodec.Create(content);
        if (codec is null) return null;
        (int w, int h) = (codec.Info.Width, codec.Info.Height);
        if ((long)w * h > MaxPixels) throw new BadImageException($"The image has {w}x{h} pixels: expected at most {MaxPixels}.", StatusCodes.Status413PayloadTooLarge);
        using var stored = new SKBitmap(w, h);
        if (codec.GetPixels(stored.Info, stored.GetPixels()) != SKCodecResult.Success) return null;
        SKEncodedOrigin origin = codec.EncodedOrigin;
        SKMatrix turn = origin switch
        {
            SKEncodedOrigin.TopRight => new(-1, 0, w, 0, 1, 0, 0, 0, 1),
            SKEncodedOrigin.BottomRight => new(-1, 0, w, 0, -1, h, 0, 0, 1),
            SKEncodedOrigin.BottomLeft => new(1, 0, 0, 0, -1, h, 0, 0, 1),
            SKEncodedOrigin.LeftTop => new(0, 1, 0, 1, 0, 0, 0, 0, 1),
            SKEncodedOrigin.RightTop => new(0, -1, h, 1, 0, 0, 0, 0, 1),
            SKEncodedOrigin.RightBottom => new(0, -1, h, -1, 0, w, 0, 0, 1),
            SKEncodedOrigin.LeftBottom => new(0, 1, 0, -1, 0, w, 0, 0, 1),
            _ => SKMatrix.Identity,
        };
        bool lies = origin >= SKEncodedOrigin.LeftTop;
        using var upright = new SKBitmap(lies ? h : w, lies ? w : h, SKColorType.Rgba8888, SKAlphaType.Premul);
        using var canvas = new SKCanvas(upright);
        canvas.Clear(SKColors.White);
        canvas.SetMatrix(turn);
        canvas.DrawBitmap(stored, 0, 0);
        return MLImage.CreateFromPixels(upright.Width, upright.Height, MLPixelFormat.Rgba32, upright.GetPixelSpan());
    }

    private static BadImageException TooLargeOr(BadHttpRequestException e) =>
        e.StatusCode == StatusCodes.Status413PayloadTooLarge ? TooLarge() : new BadImageException(e.Message, e.StatusCode);

    private static BadImageException TooLarge() =>
        new($"The image is larger than {MaxBytes / 1024 / 1024} MB.", StatusCodes.Status413PayloadTooLarge);
}

/// <summary>What was sent is no image that can be scored; the message is for whoever sent it.</summary>
internal sealed class BadImageException(string message, int statusCode = StatusCodes.Status400BadRequest) : Exception(message)
{
    public int StatusCode { get; } = statusCode;
}
