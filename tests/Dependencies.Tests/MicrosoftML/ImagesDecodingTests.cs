using Microsoft.ML.Data;

namespace Dependencies.Tests.MicrosoftML;

/// <summary>Files to pictures and back.</summary>
[TestClass]
public class ImagesDecodingTests
{
    [TestMethod]
    public void Png_gives_its_colors_in_the_order_of_the_pixel_format()
    {
        byte[] rgb = [255, 0, 0, 0, 255, 0, 0, 0, 255, 1, 2, 3, 100, 150, 200, 255, 255, 255];
        using MLImage image = Decode(ImagesPngFile.Encode(3, 2, rgb));
        Assert.AreEqual(3, image.Width);
        Assert.AreEqual(2, image.Height);
        Assert.AreEqual(32, image.BitsPerPixel);
        Assert.IsNull(image.Tag);
        Assert.AreEqual(3 * 2 * 4, image.Pixels.Length);
        (int red, int blue) = RedAndBlue(image);
        for (int i = 0; i < 6; i++)
        {
            Assert.AreEqual(rgb[i * 3], image.Pixels[(i * 4) + red]);
            Assert.AreEqual(rgb[(i * 3) + 1], image.Pixels[(i * 4) + 1]);
            Assert.AreEqual(rgb[(i * 3) + 2], image.Pixels[(i * 4) + blue]);
            Assert.AreEqual(255, image.Pixels[(i * 4) + 3]);
        }

        byte[] bgr = image.GetBGRPixels;
        for (int i = 0; i < 6; i++)
            CollectionAssert.AreEqual(new[] { rgb[(i * 3) + 2], rgb[(i * 3) + 1], rgb[i * 3] }, bgr[(i * 3)..((i * 3) + 3)]);
    }

    [TestMethod]
    public void Gray_png_has_the_same_value_in_all_colors()
    {
        using MLImage image = Decode(ImagesPngFile.Encode(2, 2, [0, 77, 200, 255]));
        CollectionAssert.AreEqual(new byte[] { 0, 0, 0, 77, 77, 77, 200, 200, 200, 255, 255, 255 }, image.GetBGRPixels);
    }

    [TestMethod]
    public void Colors_are_multiplied_by_alpha_in_Pixels_only()
    {
        using MLImage image = Decode(ImagesPngFile.Encode(1, 1, [200, 100, 50, 128]));
        (int red, int blue) = RedAndBlue(image);
        Assert.AreEqual(100, image.Pixels[red], 1.0);
        Assert.AreEqual(50, image.Pixels[1], 1.0);
        Assert.AreEqual(25, image.Pixels[blue], 1.0);
        Assert.AreEqual(128, image.Pixels[3]);
        byte[] bgr = image.GetBGRPixels;
        Assert.AreEqual(50, bgr[0], 2.0);
        Assert.AreEqual(100, bgr[1], 2.0);
        Assert.AreEqual(200, bgr[2], 2.0);
    }

    [TestMethod]
    public void Bmp_is_read_from_the_bottom()
    {
        using var file = new MemoryStream();
        using var writer = new BinaryWriter(file);
        writer.Write("BM"u8);
        foreach (int number in (int[])[54 + 16, 0, 54, 40, 2, 2])
            writer.Write(number);
        writer.Write((short)1);
        writer.Write((short)24);
        foreach (int number in (int[])[0, 16, 0, 0, 0, 0])
            writer.Write(number);
        writer.Write([1, 2, 3, 4, 5, 6, 0, 0, 7, 8, 9, 10, 11, 12, 0, 0]);
        using MLImage image = Decode(file.ToArray());
        CollectionAssert.AreEqual(new byte[] { 7, 8, 9, 10, 11, 12, 1, 2, 3, 4, 5, 6 }, image.GetBGRPixels);
    }

    [TestMethod]
    public void Jpeg_is_near_what_was_saved()
    {
        using var folder = new ImagesFolder();
        using MLImage image = Decode(ImagesPngFile.Encode(32, 24, Gradient(32, 24)));
        image.Save(folder.At("picture.jpg"));
        using MLImage again = MLImage.CreateFromFile(folder.At("picture.jpg"));
        Assert.AreEqual(32, again.Width);
        Assert.AreEqual(24, again.Height);
        byte[] saved = image.GetBGRPixels;
        byte[] read = again.GetBGRPixels;
        Assert.IsLessThan(4.0, saved.Zip(read, (a, b) => Math.Abs(a - b)).Average());
    }

    [TestMethod]
    public void Truncated_jpeg_gives_the_rows_that_are_there()
    {
        using var folder = new ImagesFolder();
        using MLImage image = Decode(ImagesPngFile.Encode(64, 64, Noise(64, 64)));
        image.Save(folder.At("picture.jpg"));
        byte[] file = File.ReadAllBytes(folder.At("picture.jpg"));
        using MLImage whole = Decode(file);
        using MLImage half = Decode(file[..(file.Length / 2)]);
        Assert.AreEqual(64, half.Width);
        Assert.AreEqual(64, half.Height);
        const int Row = 64 * 3;
        CollectionAssert.AreEqual(whole.GetBGRPixels[..Row], half.GetBGRPixels[..Row]);
        CollectionAssert.AreNotEqual(whole.GetBGRPixels[^Row..], half.GetBGRPixels[^Row..]);
    }

    [TestMethod]
    public void What_is_no_picture_is_refused()
    {
        using var folder = new ImagesFolder();
        string text = folder.Write("text.jpg", "This is not a picture."u8.ToArray());
        Assert.ThrowsExactly<ArgumentException>(() => MLImage.CreateFromFile(text));
        Assert.ThrowsExactly<ArgumentException>(() => MLImage.CreateFromFile(folder.At("missing.jpg")));
        Assert.ThrowsExactly<ArgumentNullException>(() => MLImage.CreateFromFile(null));
        Assert.ThrowsExactly<ArgumentNullException>(() => MLImage.CreateFromStream(null));
        var exception = Assert.ThrowsExactly<ArgumentException>(() => Decode("This is not a picture."u8.ToArray()));
        Assert.AreEqual("imageStream", exception.ParamName);
        Assert.ThrowsExactly<ArgumentException>(() => Decode(new byte[10]));
    }

    [TestMethod]
    [DataRow(MLPixelFormat.Bgra32)]
    [DataRow(MLPixelFormat.Rgba32)]
    public void Pixels_are_kept_as_given(MLPixelFormat format)
    {
        byte[] pixels = [10, 20, 30, 255, 40, 50, 60, 255];
        using MLImage image = MLImage.CreateFromPixels(2, 1, format, pixels);
        Assert.AreEqual(format, image.PixelFormat);
        CollectionAssert.AreEqual(pixels, image.Pixels.ToArray());
        byte[] expected = format == MLPixelFormat.Bgra32 ? [10, 20, 30, 40, 50, 60] : [30, 20, 10, 60, 50, 40];
        CollectionAssert.AreEqual(expected, image.GetBGRPixels);
    }

    [TestMethod]
    public void Pixels_must_fit()
    {
        Assert.ThrowsExactly<ArgumentException>(() => MLImage.CreateFromPixels(1, 1, MLPixelFormat.Unknown, new byte[4]));
        Assert.ThrowsExactly<ArgumentException>(() => MLImage.CreateFromPixels(0, 1, MLPixelFormat.Bgra32, []));
        Assert.ThrowsExactly<ArgumentException>(() => MLImage.CreateFromPixels(1, 0, MLPixelFormat.Bgra32, []));
        Assert.ThrowsExactly<ArgumentException>(() => MLImage.CreateFromPixels(1, 1, MLPixelFormat.Bgra32, new byte[5]));
    }

    [TestMethod]
    public void Png_is_saved_without_loss()
    {
        using var folder = new ImagesFolder();
        using MLImage image = Decode(ImagesPngFile.Encode(5, 7, Noise(5, 7)));
        image.Save(folder.At("picture.PNG"));
        using MLImage again = MLImage.CreateFromFile(folder.At("picture.PNG"));
        CollectionAssert.AreEqual(image.GetBGRPixels, again.GetBGRPixels);
    }

    [TestMethod]
    public void Other_formats_are_not_saved()
    {
        using var folder = new ImagesFolder();
        using MLImage image = Decode(ImagesPngFile.Encode(1, 1, [1, 2, 3]));
        Assert.ThrowsExactly<ArgumentException>(() => image.Save(folder.At("picture.bmp")));
        Assert.ThrowsExactly<ArgumentException>(() => image.Save(folder.At("picture.xyz")));
    }

    [TestMethod]
    public void A_disposed_picture_is_good_for_nothing()
    {
        MLImage image = Decode(ImagesPngFile.Encode(1, 1, [1, 2, 3]));
        image.Dispose();
        image.Dispose();
        Assert.ThrowsExactly<InvalidOperationException>(() => image.Width);
        Assert.ThrowsExactly<InvalidOperationException>(() => image.Pixels.Length);
        Assert.ThrowsExactly<InvalidOperationException>(() => image.GetBGRPixels);
        Assert.ThrowsExactly<InvalidOperationException>(() => image.PixelFormat);
        Assert.ThrowsExactly<InvalidOperationException>(() => image.Tag);
        Assert.ThrowsExactly<InvalidOperationException>(() => image.Save("picture.png"));
    }

    private static MLImage Decode(byte[] file) => MLImage.CreateFromStream(new MemoryStream(file));

    private static (int Red, int Blue) RedAndBlue(MLImage image) => image.PixelFormat == MLPixelFormat.Bgra32 ? (2, 0) : (0, 2);

    private static byte[] Noise(int width, int height)
    {
        var rgb = new byte[width * height * 3];
        new Random(1).NextBytes(rgb);
        return rgb;
    }

    private static byte[] Gradient(int width, int height)
    {
        var rgb = new byte[width * height * 3];
        for (int i = 0; i < rgb.Length; i += 3)
        {
            rgb[i] = (byte)(i / 3 % width * 255 / width);
            rgb[i + 1] = (byte)(i / 3 / width * 255 / height);
            rgb[i + 2] = 128;
        }

        return rgb;
    }
}
