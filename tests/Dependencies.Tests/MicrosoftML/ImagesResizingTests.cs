using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using static Microsoft.ML.Transforms.Image.ImageResizingEstimator;

namespace Dependencies.Tests.MicrosoftML;

/// <summary>Which part of a picture goes where, and what becomes of colours.</summary>
[TestClass]
public class ImagesResizingTests
{
    private readonly MLContext _ml = new(seed: 1);

    [TestMethod]
    [DataRow(Anchor.Center, "RRBB")]
    [DataRow(Anchor.Left, "RRRR")]
    [DataRow(Anchor.Right, "BBBB")]
    [DataRow(Anchor.Top, "RRBB")]
    public void Cropping_a_wide_picture_cuts_its_sides(Anchor anchor, string row)
    {
        string[] rows = Resize(["RRRRBBBB", "RRRRBBBB", "RRRRBBBB", "RRRRBBBB"], 4, 4, ResizingKind.IsoCrop, anchor);
        CollectionAssert.AreEqual(new[] { row, row, row, row }, rows);
    }

    [TestMethod]
    [DataRow(Anchor.Center, "RB")]
    [DataRow(Anchor.Top, "RR")]
    [DataRow(Anchor.Bottom, "BB")]
    [DataRow(Anchor.Right, "RB")]
    public void Cropping_a_tall_picture_cuts_top_and_bottom(Anchor anchor, string column)
    {
        string[] rows = Resize(["RR", "RR", "BB", "BB"], 2, 2, ResizingKind.IsoCrop, anchor);
        Assert.AreEqual(column, string.Concat(rows.Select(row => row[0])));
        Assert.AreEqual(column, string.Concat(rows.Select(row => row[1])));
    }

    [TestMethod]
    public void Padding_is_black_and_transparent()
    {
        CollectionAssert.AreEqual(
            new[] { "........", "........", "RRRRBBBB", "RRRRBBBB", "........", "........" },
            Resize(["RRRRBBBB", "RRRRBBBB"], 8, 6, ResizingKind.IsoPad));
        CollectionAssert.AreEqual(new[] { ".RB.", ".RB." }, Resize(["RB", "RB"], 4, 2, ResizingKind.IsoPad));
    }

    [TestMethod]
    public void Filling_takes_pixels_as_they_are()
    {
        CollectionAssert.AreEqual(new[] { "RRBB" }, Resize(["RB"], 4, 1, ResizingKind.Fill));
        CollectionAssert.AreEqual(new[] { "RRRBBB", "RRRBBB", "BBBRRR" }, Resize(["RB", "RB", "BR"], 6, 3, ResizingKind.Fill));
        CollectionAssert.AreEqual(new[] { "R", "B" }, Resize(["RRR", "RRR", "RRR", "BBB", "BBB", "BBB"], 1, 2, ResizingKind.Fill));
    }

    [TestMethod]
    [DataRow(16, 16, 8, 8)]
    [DataRow(50, 37, 8, 8)]
    [DataRow(7, 9, 20, 20)]
    [DataRow(64, 64, 224, 224)]
    public void One_color_stays_that_color(int width, int height, int toWidth, int toHeight)
    {
        using MLImage image = MLImage.CreateFromPixels(
            width, height, MLPixelFormat.Bgra32, [.. Enumerable.Repeat(new byte[] { 30, 90, 200, 255 }, width * height).SelectMany(p => p)]);
        byte[] bgr = Resize(image, toWidth, toHeight, ResizingKind.IsoCrop, Anchor.Center);
        for (int i = 0; i < bgr.Length; i += 3)
        {
            Assert.AreEqual(30, bgr[i], 1.0);
            Assert.AreEqual(90, bgr[i + 1], 1.0);
            Assert.AreEqual(200, bgr[i + 2], 1.0);
        }
    }

    [TestMethod]
    public void Halving_averages()
    {
        // A chessboard of single pixels would alias to black or white without a filter.
        var pixels = new byte[8 * 8 * 4];
        for (int i = 0; i < 64; i++)
            pixels.AsSpan(i * 4, 4).Fill(((i / 8) + i) % 2 == 0 ? (byte)255 : (byte)0);
        for (int i = 3; i < pixels.Length; i += 4)
            pixels[i] = 255;
        using MLImage image = MLImage.CreateFromPixels(8, 8, MLPixelFormat.Bgra32, pixels);
        foreach (byte value in Resize(image, 4, 4, ResizingKind.IsoCrop, Anchor.Center))
            Assert.AreEqual(127, value, 2.0);
    }

    [TestMethod]
    public void Enlarging_is_smooth()
    {
        byte[] row = [0, 0, 0, 255, 255, 255, 255, 255];
        using MLImage image = MLImage.CreateFromPixels(2, 1, MLPixelFormat.Bgra32, row);
        byte[] bgr = Resize(image, 16, 8, ResizingKind.IsoCrop, Anchor.Center);
        int[] values = [.. Enumerable.Range(0, 16).Select(x => (int)bgr[x * 3])];
        Assert.AreEqual(0, values[0], 4.0);
        Assert.AreEqual(255, values[15], 4.0);
        for (int x = 1; x < 16; x++)
            Assert.IsGreaterThanOrEqualTo(values[x - 1], values[x]);
        Assert.IsGreaterThan(8, values.Distinct().Count());
    }

    [TestMethod]
    public void The_column_has_the_new_size()
    {
        var data = _ml.Data.LoadFromEnumerable(Array.Empty<Row>());
        var schema = _ml.Transforms.ResizeImages("Small", 6, 5, "Image").Fit(data).GetOutputSchema(data.Schema);
        var type = (ImageDataViewType)schema["Small"].Type;
        Assert.AreEqual(5, type.Height);
        Assert.AreEqual(6, type.Width);
        Assert.AreEqual("Image<5, 6>", type.ToString());
        Assert.IsTrue(type.Equals(new ImageDataViewType(5, 6)));
        Assert.IsFalse(type.Equals(new ImageDataViewType(6, 5)));
    }

    [TestMethod]
    public void Sizes_must_be_positive()
    {
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => _ml.Transforms.ResizeImages("Image", 0, 5));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => _ml.Transforms.ResizeImages("Image", 5, -1));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new ImageDataViewType(0, 1));
    }

    private string[] Resize(string[] rows, int width, int height, ResizingKind kind, Anchor anchor = Anchor.Center)
    {
        byte[] pixels = [.. rows.SelectMany(row => row).SelectMany(c => c == 'R' ? new byte[] { 0, 0, 255, 255 } : [255, 0, 0, 255])];
        using MLImage image = MLImage.CreateFromPixels(rows[0].Length, rows.Length, MLPixelFormat.Bgra32, pixels);
        byte[] bgr = Resize(image, width, height, kind, anchor);
        return
        [
            .. Enumerable.Range(0, height).Select(y => string.Concat(Enumerable.Range(0, width).Select(x =>
            {
                int at = ((y * width) + x) * 3;
                return (bgr[at], bgr[at + 1], bgr[at + 2]) switch { (0, 0, 255) => 'R', (255, 0, 0) => 'B', (0, 0, 0) => '.', _ => '?' };
            }))),
        ];
    }

    private byte[] Resize(MLImage image, int width, int height, ResizingKind kind, Anchor anchor)
    {
        image.Tag = "tag";
        var data = _ml.Data.LoadFromEnumerable([new Row { Image = image }]);
        var resized = _ml.Transforms.ResizeImages("Image", width, height, resizing: kind, cropAnchor: anchor).Fit(data).Transform(data);
        using DataViewRowCursor cursor = resized.GetRowCursor([resized.Schema["Image"]]);
        ValueGetter<MLImage> getter = cursor.GetGetter<MLImage>(resized.Schema["Image"]);
        Assert.IsTrue(cursor.MoveNext());
        MLImage? result = null;
        getter(ref result!);
        Assert.AreEqual(width, result.Width);
        Assert.AreEqual(height, result.Height);
        Assert.AreEqual("tag", result.Tag);
        return result.GetBGRPixels;
    }

    private sealed class Row
    {
        [ImageType(1, 1)]
        public MLImage? Image { get; set; }
    }
}
