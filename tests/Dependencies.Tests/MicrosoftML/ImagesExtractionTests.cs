using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using static Microsoft.ML.Transforms.Image.ImagePixelExtractingEstimator;

namespace Dependencies.Tests.MicrosoftML;

/// <summary>Pictures to vectors and back.</summary>
[TestClass]
public class ImagesExtractionTests
{
    /// <summary>Two by two pixels: blue, green, red, alpha.</summary>
    private static readonly byte[] Bgra = [1, 2, 3, 255, 11, 12, 13, 255, 21, 22, 23, 255, 31, 32, 33, 255];

    private readonly MLContext _ml = new(seed: 1);

    [TestMethod]
    public void Planes_of_red_green_and_blue_by_default()
    {
        float[] values = Extract<float>(_ml.Transforms.ExtractPixels("Out", "Image"));
        CollectionAssert.AreEqual(new float[] { 3, 13, 23, 33, 2, 12, 22, 32, 1, 11, 21, 31 }, values);
    }

    [TestMethod]
    [DataRow(ColorsOrder.ARGB, new float[] { 3, 2, 1 })]
    [DataRow(ColorsOrder.ARBG, new float[] { 3, 1, 2 })]
    [DataRow(ColorsOrder.ABRG, new float[] { 1, 3, 2 })]
    [DataRow(ColorsOrder.ABGR, new float[] { 1, 2, 3 })]
    [DataRow(ColorsOrder.AGRB, new float[] { 2, 3, 1 })]
    [DataRow(ColorsOrder.AGBR, new float[] { 2, 1, 3 })]
    public void Interleaved_in_the_order_asked_for(ColorsOrder order, float[] first)
    {
        float[] values = Extract<float>(_ml.Transforms.ExtractPixels("Out", "Image", orderOfExtraction: order, interleavePixelColors: true));
        float[] expected = [.. new[] { 0, 10, 20, 30 }.SelectMany(more => first.Select(value => value + more))];
        CollectionAssert.AreEqual(expected, values);
    }

    [TestMethod]
    public void Only_the_colors_asked_for()
    {
        CollectionAssert.AreEqual(new float[] { 2, 12, 22, 32 }, Extract<float>(_ml.Transforms.ExtractPixels("Out", "Image", ColorBits.Green)));
        CollectionAssert.AreEqual(
            new float[] { 255, 1, 255, 11, 255, 21, 255, 31 },
            Extract<float>(_ml.Transforms.ExtractPixels("Out", "Image", ColorBits.Alpha | ColorBits.Blue, interleavePixelColors: true)));
        Assert.HasCount(16, Extract<float>(_ml.Transforms.ExtractPixels("Out", "Image", ColorBits.All)));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => _ml.Transforms.ExtractPixels("Out", "Image", 0));
    }

    [TestMethod]
    public void Offset_is_taken_away_before_scaling()
    {
        float[] values = Extract<float>(_ml.Transforms.ExtractPixels("Out", "Image", ColorBits.Red, offsetImage: 100, scaleImage: 0.5f));
        CollectionAssert.AreEqual(new[] { -48.5f, -43.5f, -38.5f, -33.5f }, values);
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => _ml.Transforms.ExtractPixels("Out", "Image", scaleImage: 0));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => _ml.Transforms.ExtractPixels("Out", "Image", offsetImage: float.NaN));
    }

    [TestMethod]
    public void Bytes_are_neither_offset_nor_scaled()
    {
        byte[] values = Extract<byte>(_ml.Transforms.ExtractPixels(
            "Out", "Image", ColorBits.Red, offsetImage: 100, scaleImage: 0.5f, outputAsFloatArray: false));
        CollectionAssert.AreEqual(new byte[] { 3, 13, 23, 33 }, values);
    }

    [TestMethod]
    [DataRow(MLPixelFormat.Bgra32)]
    [DataRow(MLPixelFormat.Rgba32)]
    public void The_pixel_format_makes_no_difference(MLPixelFormat format)
    {
        byte[] pixels = (byte[])Bgra.Clone();
        if (format == MLPixelFormat.Rgba32)
        {
            for (int i = 0; i < pixels.Length; i += 4)
                (pixels[i], pixels[i + 2]) = (pixels[i + 2], pixels[i]);
        }

        float[] values = Extract<float>(_ml.Transforms.ExtractPixels("Out", "Image"), MLImage.CreateFromPixels(2, 2, format, pixels));
        CollectionAssert.AreEqual(new float[] { 3, 13, 23, 33, 2, 12, 22, 32, 1, 11, 21, 31 }, values);
    }

    [TestMethod]
    public void No_picture_gives_zeros()
    {
        var data = _ml.Data.LoadFromEnumerable([new Row()]);
        var vector = First<VBuffer<float>>(_ml.Transforms.ExtractPixels("Out", "Image").Fit(data).Transform(data), "Out");
        Assert.AreEqual(12, vector.Length);
        CollectionAssert.AreEqual(new float[12], vector.DenseValues().ToArray());
    }

    [TestMethod]
    public void The_dimensions_tell_how_the_values_lie()
    {
        var data = _ml.Data.LoadFromEnumerable(Array.Empty<WideRow>());
        var planes = _ml.Transforms.ExtractPixels("Out", "Image").Fit(data).GetOutputSchema(data.Schema)["Out"].Type;
        var pixels = _ml.Transforms.ExtractPixels("Out", "Image", interleavePixelColors: true, outputAsFloatArray: false)
            .Fit(data).GetOutputSchema(data.Schema)["Out"].Type;
        Assert.AreEqual(new VectorDataViewType(NumberDataViewType.Single, 3, 2, 4), planes);
        Assert.AreEqual(new VectorDataViewType(NumberDataViewType.Byte, 2, 4, 3), pixels);
    }

    [TestMethod]
    public void The_column_must_be_one_of_pictures_of_known_size()
    {
        var data = _ml.Data.LoadFromEnumerable(Array.Empty<TextRow>());
        var loaded = _ml.Transforms.LoadImages("Image", null, "Path").Append(_ml.Transforms.ExtractPixels("Out", "Image"));
        var exception = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => loaded.Fit(data));
        StringAssert.Contains(exception.Message, "known-size image");
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => _ml.Transforms.ExtractPixels("Out", "Path").Fit(data));
        exception = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => _ml.Transforms.ExtractPixels("Out", "Nothing").Fit(data));
        StringAssert.Contains(exception.Message, "Could not find input column 'Nothing'");
    }

    [TestMethod]
    public void A_picture_of_another_size_than_its_column_is_an_error()
    {
        using MLImage image = MLImage.CreateFromPixels(1, 1, MLPixelFormat.Bgra32, [1, 2, 3, 255]);
        Assert.ThrowsExactly<InvalidOperationException>(() => Extract<float>(_ml.Transforms.ExtractPixels("Out", "Image"), image));
    }

    [TestMethod]
    public void Vectors_become_pictures_again()
    {
        float[] planes = [3, 13, 23, 33, 2, 12, 22, 32, 1, 11, 21, 31];
        var data = _ml.Data.LoadFromEnumerable([new VectorRow { Values = planes }]);
        var images = _ml.Transforms.ConvertToImage(2, 2, "Image", "Values").Fit(data).Transform(data);
        CollectionAssert.AreEqual(Bgra, First<MLImage>(images, "Image").Pixels.ToArray());
    }

    [TestMethod]
    public void Vectors_become_opaque_pictures_of_a_saved_model_too()
    {
        float[] pixels = [3, 2, 1, 13, 12, 11, 23, 22, 21, 33, 32, 31];
        var data = _ml.Data.LoadFromEnumerable([new VectorRow { Values = pixels }]);
        string path = Path.GetTempFileName();
        try
        {
            _ml.Model.Save(_ml.Transforms.ConvertToImage(2, 2, "Image", "Values", interleavedColors: true).Fit(data), data.Schema, path);
            var images = new MLContext().Model.Load(path, out _).Transform(data);
            Assert.AreEqual(new ImageDataViewType(2, 2), images.Schema["Image"].Type);
            CollectionAssert.AreEqual(Bgra, First<MLImage>(images, "Image").Pixels.ToArray());
        }
        finally
        {
            File.Delete(path);
        }
    }

    [TestMethod]
    public void Gray_weighs_the_colors()
    {
        using MLImage image = MLImage.CreateFromPixels(2, 1, MLPixelFormat.Bgra32, [0, 0, 255, 255, 100, 100, 100, 255]);
        var data = _ml.Data.LoadFromEnumerable([new Row { Image = image }]);
        byte[] bgr = OfFirst(
            _ml.Transforms.ConvertToGrayscale("Image").Fit(data).Transform(data), "Image", (MLImage gray) => gray.GetBGRPixels);
        Assert.AreEqual(76.5, bgr[0], 1.0);
        Assert.AreEqual(bgr[0], bgr[1]);
        Assert.AreEqual(bgr[0], bgr[2]);
        Assert.AreEqual(100, bgr[3], 1.0);
    }

    private T[] Extract<T>(ImagePixelExtractingEstimator estimator) =>
        Extract<T>(estimator, MLImage.CreateFromPixels(2, 2, MLPixelFormat.Bgra32, Bgra));

    private T[] Extract<T>(ImagePixelExtractingEstimator estimator, MLImage image)
    {
        var data = _ml.Data.LoadFromEnumerable([new Row { Image = image }]);
        return [.. First<VBuffer<T>>(estimator.Fit(data).Transform(data), "Out").DenseValues()];
    }

    private static T First<T>(IDataView data, string column) => OfFirst(data, column, (T value) => value);

    /// <summary>For what does not outlive the cursor.</summary>
    private static TResult OfFirst<T, TResult>(IDataView data, string column, Func<T, TResult> use)
    {
        using DataViewRowCursor cursor = data.GetRowCursor([data.Schema[column]]);
        ValueGetter<T> getter = cursor.GetGetter<T>(data.Schema[column]);
        Assert.IsTrue(cursor.MoveNext());
        T value = default!;
        getter(ref value);
        return use(value);
    }

    private sealed class Row
    {
        [ImageType(2, 2)]
        public MLImage? Image { get; set; }
    }

    private sealed class WideRow
    {
        [ImageType(2, 4)]
        public MLImage? Image { get; set; }
    }

    private sealed class TextRow
    {
        public string? Path { get; set; }
    }

    private sealed class VectorRow
    {
        [VectorType(12)]
        public float[]? Values { get; set; }
    }
}
