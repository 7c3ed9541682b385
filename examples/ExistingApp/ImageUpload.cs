using Microsoft.ML.Data;

namespace ExistingApp;

/// <summary>Reads the image of a request: the body itself, or the first file of a form.</summary>
internal static class ImageUpload
{
    public const int MaxBytes = 8 * 1024 * 1024;

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
        try
        {
            return MLImage.CreateFromStream(content);
        }
        catch (Exception e) when (e is not OutOfMemoryException)   // whatever the decoder throws at bytes that are no image
        {
            throw new BadImageException($"The {length} bytes are no image that can be decoded: expected a JPEG, PNG, GIF or BMP file.");
        }
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
