using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace Microsoft.ML;

/// <summary>The estimators for pictures.</summary>
public static class ImageEstimatorsCatalog
{
    public static ImageGrayscalingEstimator ConvertToGrayscale(
        this TransformsCatalog catalog, string outputColumnName, string inputColumnName = null) =>
        new(CatalogUtils.GetEnvironment(catalog), outputColumnName, inputColumnName);

    public static ImageLoadingEstimator LoadImages(
        this TransformsCatalog catalog, string outputColumnName, string imageFolder, string inputColumnName = null) =>
        new(CatalogUtils.GetEnvironment(catalog), imageFolder, decode: true, outputColumnName, inputColumnName);

    public static ImageLoadingEstimator LoadRawImageBytes(
        this TransformsCatalog catalog, string outputColumnName, string imageFolder, string inputColumnName = null) =>
        new(CatalogUtils.GetEnvironment(catalog), imageFolder, decode: false, outputColumnName, inputColumnName);

    public static ImagePixelExtractingEstimator ExtractPixels(
        this TransformsCatalog catalog,
        string outputColumnName,
        string inputColumnName = null,
        ImagePixelExtractingEstimator.ColorBits colorsToExtract = ImagePixelExtractingEstimator.ColorBits.Rgb,
        ImagePixelExtractingEstimator.ColorsOrder orderOfExtraction = ImagePixelExtractingEstimator.ColorsOrder.ARGB,
        bool interleavePixelColors = false,
        float offsetImage = 0f,
        float scaleImage = 1f,
        bool outputAsFloatArray = true)
    {
        var layout = new PixelLayout(colorsToExtract, orderOfExtraction, interleavePixelColors, offsetImage, scaleImage, outputAsFloatArray);
        return new ImagePixelExtractingEstimator(CatalogUtils.GetEnvironment(catalog), outputColumnName, inputColumnName, layout);
    }

    public static ImageResizingEstimator ResizeImages(
        this TransformsCatalog catalog,
        string outputColumnName,
        int imageWidth,
        int imageHeight,
        string inputColumnName = null,
        ImageResizingEstimator.ResizingKind resizing = ImageResizingEstimator.ResizingKind.IsoCrop,
        ImageResizingEstimator.Anchor cropAnchor = ImageResizingEstimator.Anchor.Center) =>
        new(CatalogUtils.GetEnvironment(catalog), outputColumnName, imageWidth, imageHeight, inputColumnName, resizing, cropAnchor);

    /// <summary>The defaults for colours that are absent are taken and ignored, as the original does: 255 for alpha, 0 for the others.</summary>
    public static VectorToImageConvertingEstimator ConvertToImage(
        this TransformsCatalog catalog,
        int imageHeight,
        int imageWidth,
        string outputColumnName,
        string inputColumnName = null,
        ImagePixelExtractingEstimator.ColorBits colorsPresent = ImagePixelExtractingEstimator.ColorBits.Rgb,
        ImagePixelExtractingEstimator.ColorsOrder orderOfColors = ImagePixelExtractingEstimator.ColorsOrder.ARGB,
        bool interleavedColors = false,
        float scaleImage = 1f,
        float offsetImage = 0f,
        int defaultAlpha = 255,
        int defaultRed = 0,
        int defaultGreen = 0,
        int defaultBlue = 0)
    {
        var layout = new PixelLayout(colorsPresent, orderOfColors, interleavedColors, offsetImage, scaleImage, asFloat: true);
        return new VectorToImageConvertingEstimator(
            CatalogUtils.GetEnvironment(catalog), outputColumnName, imageHeight, imageWidth, inputColumnName, layout);
    }
}
