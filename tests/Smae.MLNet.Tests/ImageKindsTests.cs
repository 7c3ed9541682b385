using Microsoft.Extensions.AI;
using SkiaSharp;
using Smae.Training;

namespace Smae.MLNet.Tests;

/// <summary>Images as users have them: lying on their side, see-through, with data behind their end, cut off, too large.</summary>
[TestClass]
public sealed class ImageKindsTests : EmbeddingFixture
{
    private static readonly ImagePreprocessing s_preprocessing = TestModels.Preprocessing;

    [TestMethod]
    [DataRow(0, "RGBW")]
    [DataRow(1, "RGBW")]
    [DataRow(2, "GRWB")]
    [DataRow(3, "WBGR")]
    [DataRow(4, "BWRG")]
    [DataRow(5, "RBGW")]
    [DataRow(6, "BRWG")]
    [DataRow(7, "WGBR")]
    [DataRow(8, "GWRB")]
    [DataRow(9, "RGBW")]
    public void A_photograph_is_turned_upright_as_its_EXIF_data_says(int orientation, string quarters)
    {
        byte[] quartersAsPng = Drawings.Quarters(64, 32, SKEncodedImageFormat.Png), quartersAsWebp = Drawings.Quarters(64, 32, SKEncodedImageFormat.Webp);
        byte[][] files =
        [
            .. from wide in (bool[])[true, false] from bigEndian in (bool[])[true, false]
               select Drawings.WithOrientation(Drawings.Quarters(64, 32), (byte)orientation, bigEndian, wide),
            .. from wide in (bool[])[true, false] from early in (bool[])[true, false] select Drawings.PngWithOrientation(quartersAsPng, (byte)orientation, early, wide),
            .. from wide in (bool[])[true, false] from prefix in (bool[])[true, false]
               select Drawings.WebpWithOrientation(quartersAsWebp, 64, 32, (byte)orientation, prefix, wide),
        ];
        foreach (byte[] file in files)
        {
            byte[] upright = Decode(file, new ImagePreprocessing { Height = 40, Width = 40, Resize = ResizeMode.Stretch });
            string found = string.Concat(new[] { (8, 8), (30, 8), (8, 30), (30, 30) }.Select(at => Name(upright, 3 * (40 * at.Item2 + at.Item1))));
            Assert.AreEqual(quarters, found);
            byte[] stored = Decode(file, new ImagePreprocessing { Height = 40, Width = 40, Resize = ResizeMode.Stretch, Orientation = ImageOrientation.AsStored });
            Assert.AreEqual("RGBW", string.Concat(new[] { (8, 8), (30, 8), (8, 30), (30, 30) }.Select(at => Name(stored, 3 * (40 * at.Item2 + at.Item1)))));
        }

        static char Name(byte[] pixels, int at) => (pixels[at] > 128, pixels[at + 1] > 128, pixels[at + 2] > 128) switch
        {
            (true, false, false) => 'R', (false, true, false) => 'G', (false, false, true) => 'B', (true, true, true) => 'W', _ => '?',
        };
    }

    [TestMethod]
    public async Task Turning_comes_before_resizing_on_every_path()
    {
        byte[] file = Drawings.WithOrientation(Drawings.Encode(40, 20, (x, _) => x < 20 ? SKColors.Red : SKColors.White, SKEncodedImageFormat.Jpeg), 6);
        string path = At("lying.jpg");
        File.WriteAllBytes(path, file);
        byte[] pixels = Decode(file, s_preprocessing);
        Assert.IsTrue(pixels[1] < 20 && pixels[^2] > 235, "Red on top, white below.");
        float[] expected = Embed(pixels);
        var byPath = Context.Data.LoadFromEnumerable<PathRow>([new() { ImagePath = path }]);
        var byBytes = Context.Data.LoadFromEnumerable<BytesRow>([new() { Bytes = file }]);
        AssertClose(expected, Read<EmbeddingOnly>(Embed(byPath)).Single().Embedding, "a path");
        using var transformer = Context.Transforms.MaeEmbedding("Embedding", "Bytes", Encoder).Fit(byBytes);
        AssertClose(expected, Read<EmbeddingOnly>(transformer.Transform(byBytes)).Single().Embedding, "bytes");
        using var engine = Context.Model.CreatePredictionEngine<BytesRow, EmbeddingOnly>(transformer);
        AssertClose(expected, engine.Predict(new BytesRow { Bytes = file }).Embedding, "a single row");
        Encoder.ExportOnnx(At("encoder.onnx"));
        using var onnx = Context.Transforms.OnnxEmbedding("Embedding", "ImagePath", At("encoder.onnx")).Fit(byPath);
        AssertClose(expected, Read<EmbeddingOnly>(onnx.Transform(byPath)).Single().Embedding, "ONNX");
        using ImageStore store = Context.Data.LoadImageStore(byPath, "ImagePath", s_preprocessing);
        CollectionAssert.AreEqual(pixels, store[0].ToArray());
        using var generator = new ImageEmbeddingGenerator(Encoder);
        var generated = await generator.GenerateAsync([new DataContent(file, "image/jpeg")]);
        AssertClose(expected, generated[0].Vector.ToArray(), "the generator");
    }

    [TestMethod]
    public void All_that_is_done_to_an_image_is_kept_with_weights_and_ONNX_files_and_is_one_option()
    {
        var other = new ImagePreprocessing
        {
            Height = TestModels.Size, Width = TestModels.Size, Channels = 3, Resize = ResizeMode.Pad, Orientation = ImageOrientation.AsStored,
            Background = [0.25f, 0.5f, 1], Mean = [0.1f, 0.2f, 0.3f], StandardDeviation = [0.4f, 0.5f, 0.6f],
        };
        var usual = new ImagePreprocessing { Height = TestModels.Size, Width = TestModels.Size };
        foreach (System.Reflection.PropertyInfo property in typeof(ImagePreprocessing).GetProperties()
            .Where(p => p.CanWrite && p.Name is not ("Height" or "Width" or "Channels")))
            Assert.AreNotEqual(property.GetValue(usual), property.GetValue(other), $"{property.Name}: a setting that this test does not change");
        using (var encoder = new ImageEncoder(new VisionTransformer(TestModels.Config, 1), other))
        {
            encoder.Save(At("other.safetensors"));
            encoder.ExportOnnx(At("other.onnx"));
        }
        using var loaded = ImageEncoder.Load(At("other.safetensors"));
        Assert.AreEqual(other, loaded.Preprocessing);
        Assert.AreEqual(other, OnnxModelInfo.Read(At("other.onnx")).Preprocessing);
        Assert.AreNotEqual(other, other with { Orientation = ImageOrientation.Upright });

        MaePretrainOptions options = TestModels.Options with { Preprocessing = other };
        Assert.AreEqual(other, options.Preprocessing);
        Assert.AreEqual((ResizeMode.Pad, 0.1f, 0.6f), (options.Resize, options.Mean![0], options.StandardDeviation![2]));
        Assert.AreEqual(other with { Resize = ResizeMode.Stretch }, (options with { Resize = ResizeMode.Stretch }).Preprocessing);
        Assert.AreEqual(
            other with { Height = 2 * TestModels.Size }, (new MaePretrainOptions
            {
                Resize = other.Resize, Background = other.Background, Mean = other.Mean, StandardDeviation = other.StandardDeviation,
                Encoder = TestModels.Config with { ImageHeight = 2 * TestModels.Size },
            }).Preprocessing with { Orientation = other.Orientation }, "one by one, and the encoder's size");
        var error = Assert.ThrowsExactly<ArgumentException>(
            (TestModels.Options with { Preprocessing = other with { Height = 99, Orientation = (ImageOrientation)7 } }).Validate);
        StringAssert.Contains(error.Message, "Preprocessing gives 99x");
        StringAssert.Contains(error.Message, "Orientation is 7: expected one of Upright, AsStored");
    }

    [TestMethod]
    [DataRow(0, 16, 3)]
    [DataRow(16, -1, 3)]
    [DataRow(16, 16, -3)]
    [DataRow(100_000, 100_000, 3)]
    public void A_size_that_no_image_has_is_refused_by_name(int height, int width, int channels)
    {
        var wrong = new ImagePreprocessing { Height = height, Width = width, Channels = channels };
        Assert.AreEqual(wrong, wrong with { });
        string message = Assert.ThrowsExactly<ArgumentException>(wrong.Validate).Message;
        StringAssert.Contains(message, $"Images of {height}x{width} with {channels} channels: expected at least 1 of each");
    }

    [TestMethod]
    public void A_strip_of_which_padding_leaves_nothing_is_broken_on_every_path_and_saved()
    {
        byte[] strip = Drawings.Encode(5000, 1, (_, _) => SKColors.Red);
        var decoder = new ImageDecoders(s_preprocessing with { Resize = ResizeMode.Pad }).Rent();
        var pixels = new byte[s_preprocessing.ByteCount];
        StringAssert.Contains(decoder.DecodeBytes(strip, "strip", pixels)!.Message, "strip: too narrow: of 5000x1 pixels nothing is left at 16x16 with ResizeMode.Pad");
        using MLImage image = MLImage.CreateFromStream(new MemoryStream(strip));
        StringAssert.Contains(decoder.Extract(image, pixels, "row 3")!.Message, "row 3: too narrow");
        Assert.IsNull(decoder.DecodeBytes(Drawings.Encode(32, 2, (_, _) => SKColors.Red), "a row of pixels", pixels));
        Assert.IsTrue(pixels.Contains(byte.MaxValue));

        string path = At("strip.png");
        File.WriteAllBytes(path, strip);
        var data = Context.Data.LoadFromEnumerable<PathRow>([new() { ImagePath = path }]);
        using var encoder = new ImageEncoder(new VisionTransformer(TestModels.Config, 1), s_preprocessing with { Resize = ResizeMode.Pad });
        using var transformer = Context.Transforms.MaeEmbedding("Embedding", "ImagePath", encoder).Fit(data);
        Assert.IsTrue(Read<EmbeddingOnly>(transformer.Transform(data)).Single().Embedding.All(float.IsNaN));
        Context.Model.Save(transformer, data.Schema, At("strip.zip"));
        Assert.IsTrue(Read<EmbeddingOnly>(new MLContext().Model.Load(At("strip.zip"), out _).Transform(data)).Single().Embedding.All(float.IsNaN), "saved");
    }

    [TestMethod]
    public void Grey_files_are_decoded_as_ML_NET_does()
    {
        using var grey = new SKBitmap(new SKImageInfo(40, 30, SKColorType.Gray8, SKAlphaType.Opaque));
        for (int y = 0; y < 30; y++)
        for (int x = 0; x < 40; x++) grey.SetPixel(x, y, new SKColor((byte)(5 * x), (byte)(5 * x), (byte)(5 * x)));
        foreach (SKEncodedImageFormat format in (SKEncodedImageFormat[])[SKEncodedImageFormat.Jpeg, SKEncodedImageFormat.Png])
        {
            using SKData data = grey.Encode(format, 90);
            using var image = MLImage.CreateFromStream(data.AsStream());
            var byImage = new byte[s_preprocessing.ByteCount];
            new ImageDecoders(s_preprocessing).Rent().Extract(image, byImage);
            CollectionAssert.AreEqual(byImage, Decode(data.ToArray(), s_preprocessing));
        }
    }

    [TestMethod]
    [DataRow(16, 16, ResizeMode.Crop)]
    [DataRow(48, 48, ResizeMode.Crop)]
    [DataRow(48, 48, ResizeMode.Stretch)]
    [DataRow(48, 40, ResizeMode.Crop)]
    [DataRow(48, 40, ResizeMode.Stretch)]
    [DataRow(48, 48, ResizeMode.Pad)]
    public void A_drawing_on_nothing_lies_on_white_or_the_colour_that_is_asked_for(int width, int height, ResizeMode resize)
    {
        byte[] png = Drawings.Encode(width, height, (x, y) => Drawings.Disc(x, y, width, height));
        foreach ((float[]? background, byte[] ground) in new (float[]?, byte[])[] { (null, [255, 255, 255]), ([1, 0.5f, 0], [255, 128, 0]) })
        {
            ImagePreprocessing preprocessing = s_preprocessing with { Resize = resize, Background = background! };
            byte[] pixels = Decode(png, preprocessing);
            CollectionAssert.AreEqual(ground, pixels[..3]);
            CollectionAssert.AreEqual(ground, pixels[^3..]);
            CollectionAssert.AreEqual(new byte[3], pixels[(3 * (8 * 16 + 8))..][..3]);
            using var image = MLImage.CreateFromStream(new MemoryStream(png));
            var byImage = new byte[pixels.Length];
            new ImageDecoders(preprocessing).Rent().Extract(image, byImage);
            CollectionAssert.AreEqual(pixels, byImage, "an image in memory");
        }
        byte[] grey = Decode(png, s_preprocessing with { Resize = resize, Channels = 1 });
        Assert.IsTrue(grey[0] == 255 && grey[8 * 16 + 8] == 0);
    }

    [TestMethod]
    public void What_lets_half_of_the_ground_through_is_mixed_with_it()
    {
        byte[] png = Drawings.Encode(16, 16, (_, _) => new SKColor(200, 100, 0, 128));
        byte[] pixels = Decode(png, s_preprocessing);
        // 200 * 128 / 255 + 127; 100 * 128 / 255 + 127; 127.
        byte[] expected = [227, 177, 127];
        for (int c = 0; c < 3; c++) Assert.AreEqual(expected[c], pixels[c], 1.0);
    }

    [TestMethod]
    public void Padding_of_an_image_on_the_ground_stays_black()
    {
        byte[] pixels = Decode(Drawings.Encode(48, 24, (x, y) => Drawings.Disc(x, y, 48, 24)), s_preprocessing with { Resize = ResizeMode.Pad });
        CollectionAssert.AreEqual(new byte[3], pixels[..3]);
        CollectionAssert.AreEqual(new byte[] { 255, 255, 255 }, pixels[(3 * 16 * 4)..][..3]);
    }

    [TestMethod]
    public void What_ResizeImages_padded_is_opaque_and_stays_black()
    {
        string path = TestImages.Write(At("wide.png"), 1, 48, 24);
        var data = Context.Data.LoadFromEnumerable<PathRow>([new() { ImagePath = path }]);
        var images = Context.Transforms.LoadImages("Image", "", "ImagePath").Append(
            Context.Transforms.ResizeImages("Image", 16, 16, resizing: Microsoft.ML.Transforms.Image.ImageResizingEstimator.ResizingKind.IsoPad))
            .Fit(data).Transform(data);
        using ImageStore store = Context.Data.LoadImageStore(images, "Image", s_preprocessing);
        CollectionAssert.AreEqual(Decode(File.ReadAllBytes(path), s_preprocessing with { Resize = ResizeMode.Pad }), store[0].ToArray());
    }

    [TestMethod]
    [DataRow(16)]
    [DataRow(48)]
    public void Four_channels_keep_alpha(int size)
    {
        byte[] pixels = Decode(Drawings.Encode(size, size, (x, y) => Drawings.Disc(x, y, size, size)), s_preprocessing with { Channels = 4 });
        CollectionAssert.AreEqual(new byte[4], pixels[..4]);
        CollectionAssert.AreEqual(new byte[] { 0, 0, 0, 255 }, pixels[(4 * (8 * 16 + 8))..][..4]);
    }

    [TestMethod]
    public void The_ground_is_kept_with_weights_and_in_ONNX_files()
    {
        float[] background = [0.25f, 0.5f, 1];
        using var encoder = new ImageEncoder(new VisionTransformer(TestModels.Config, 1), s_preprocessing with { Background = background });
        encoder.Save(At("encoder.safetensors"));
        using var loaded = ImageEncoder.Load(At("encoder.safetensors"));
        CollectionAssert.AreEqual(background, loaded.Preprocessing.Background.ToArray());
        Assert.AreEqual(encoder.Preprocessing, loaded.Preprocessing);
        Assert.AreNotEqual(s_preprocessing, loaded.Preprocessing);
        encoder.ExportOnnx(At("encoder.onnx"));
        Assert.AreEqual(encoder.Preprocessing, OnnxModelInfo.Read(At("encoder.onnx")).Preprocessing);
        Assert.AreEqual(encoder.Preprocessing, (TestModels.Options with { Background = background }).Preprocessing);
        var error = Assert.ThrowsExactly<ArgumentException>((s_preprocessing with { Background = [1, 2, 3] }).Validate);
        StringAssert.Contains(error.Message, "Background");
    }

    [TestMethod]
    [DataRow(ResizeMode.Crop)]
    [DataRow(ResizeMode.Pad)]
    [DataRow(ResizeMode.Stretch)]
    public void A_chequerboard_of_single_pixels_becomes_grey(ResizeMode resize)
    {
        byte[] png = Drawings.Encode(512, 512, (x, y) => (x + y) % 2 == 0 ? SKColors.Black : SKColors.White);
        foreach (byte value in Decode(png, new ImagePreprocessing { Height = 64, Width = 64, Resize = resize })) Assert.AreEqual(127, value, 3.0);
    }

    [TestMethod]
    public void A_stretched_image_of_another_shape_is_averaged_too()
    {
        byte[] png = Drawings.Encode(400, 100, (x, _) => x % 8 < 4 ? SKColors.Black : SKColors.White);
        byte[] pixels = Decode(png, s_preprocessing with { Resize = ResizeMode.Stretch });
        Assert.AreEqual(127, pixels.Average(v => v), 10);
        Assert.IsLessThan(80, pixels.Max() - pixels.Min());
    }

    [TestMethod]
    public void Every_part_of_an_image_is_broken_and_data_behind_its_end_does_no_harm()
    {
        foreach (SKEncodedImageFormat format in (SKEncodedImageFormat[])[SKEncodedImageFormat.Jpeg, SKEncodedImageFormat.Png, SKEncodedImageFormat.Webp])
        {
            byte[] file = Drawings.Encode(40, 30, (x, y) => new SKColor((byte)(x * 6), (byte)(y * 8), (byte)(x * y)), format), whole = Decode(file, s_preprocessing);
            CollectionAssert.AreEqual(whole, Decode([.. file, 0xFF, 0xD8, 1, 2, 3], s_preprocessing));
            // The last bytes of PNG and WebP files say nothing of pixels.
            int needed = format == SKEncodedImageFormat.Jpeg ? file.Length : file.Length - 24;
            for (int length = 12; length < needed; length += 1 + length / 50)
            {
                string? problem = Problem(file[..length]);
                Assert.Contains("truncated", problem ?? throw new AssertFailedException($"{format} {length}"));
            }
        }
    }

    [TestMethod]
    public void A_panorama_with_a_film_behind_its_end_is_whole()
    {
        byte[] file = Drawings.Quarters(64, 32), film = [.. "\0\0\0\u0018ftypmp42"u8, .. new byte[5000]];
        CollectionAssert.AreEqual(Decode(file, s_preprocessing), Decode([.. file, .. film], s_preprocessing));
        // Many JPEGs hold a thumbnail, a JPEG with an end of its own: that is not theirs.
        byte[] thumbnail = [.. "Exif\0\0"u8, 0xFF, 0xD8, 0xFF, 0xD9], start = [0xFF, 0xD8, 0xFF, 0xE1, 0, (byte)(thumbnail.Length + 2), .. thumbnail];
        CollectionAssert.AreEqual(Decode(file, s_preprocessing), Decode([.. start, .. file[2..]], s_preprocessing));
        StringAssert.Contains(Problem([.. start, .. file[2..(file.Length / 2)]]), "truncated");
    }

    [TestMethod]
    [DataRow(1000)]
    [DataRow(-100)]
    public void A_bitmap_with_a_wrong_size_field_is_whole(int off)
    {
        byte[] file = Drawings.Bmp(20, 16, 77, off);
        CollectionAssert.AreEqual(Decode(Drawings.Bmp(20, 16, 77), s_preprocessing), Decode(file, s_preprocessing));
        StringAssert.Contains(Problem(file[..500]), "truncated BMP");
    }

    [TestMethod]
    public void What_is_no_image_is_told_by_what_it_is()
    {
        StringAssert.Contains(Problem([]), "empty");
        StringAssert.Contains(Problem("GIF89a and more"u8.ToArray()), "truncated GIF");
        StringAssert.Contains(Problem("hello, I am text"u8.ToArray()), "not an image");
    }

    [TestMethod]
    public void An_image_that_says_it_is_huge_is_one_broken_image()
    {
        var log = new LogRecorder(Context);
        File.WriteAllBytes(At("huge.png"), Drawings.PngThatSays(60000, 60000));
        var data = Context.Data.LoadFromEnumerable<PathRow>([new() { ImagePath = AnyImage() }, new() { ImagePath = At("huge.png") }]);
        using ImageStore store = Context.Data.LoadImageStore(data, "ImagePath", s_preprocessing, new ImageReadOptions { BrokenImages = BrokenImagePolicy.Skip });
        Assert.AreEqual(1, store.Count);
        Assert.IsTrue(log.Warnings.Any(w => w.Contains("huge.png: too large: 60000x60000")), string.Join(Environment.NewLine, log.Warnings));
        var rows = Read<EmbeddedRow>(Embed(data));
        Assert.IsTrue(rows[1].Embedding.All(float.IsNaN) && !rows[0].Embedding.Any(float.IsNaN));
    }

    [TestMethod]
    public void The_limit_of_pixels_is_an_option()
    {
        string path = Drawings.Write(At("large.png"), 1200, 1000, (_, _) => SKColors.Red);
        var data = Context.Data.LoadFromEnumerable<PathRow>([new() { ImagePath = path }]);
        using (Context.Data.LoadImageStore(data, "ImagePath", s_preprocessing)) { }
        var error = Assert.ThrowsExactly<InvalidDataException>(
            () => Context.Data.LoadImageStore(data, "ImagePath", s_preprocessing, new ImageReadOptions { MaxMegapixels = 1 }));
        StringAssert.Contains(error.Message, "too large");
        var wrong = Assert.ThrowsExactly<ArgumentException>(
            () => new ImageReadOptions { MaxMegapixels = 0, Cache = new ImageCacheOptions { MemoryBudget = -1 } }.Validate());
        StringAssert.Contains(wrong.Message, "MaxMegapixels is 0");
        StringAssert.Contains(wrong.Message, "MemoryBudget");
    }

    [TestMethod]
    public void Images_of_data_sets_are_whole()
    {
        int count = 0;
        var files = new EnumerationOptions { RecurseSubdirectories = true, MatchCasing = MatchCasing.CaseInsensitive };
        foreach (string path in ((string[])[DataSets.TinyImageNet, DataSets.Cub]).SelectMany(folder => Directory.EnumerateFiles(folder, "*.jp*g", files)))
        {
            Assert.IsNull(Problem(File.ReadAllBytes(path)), path);
            count++;
        }
        Assert.IsGreaterThan(1000, count);
    }

    private static byte[] Decode(byte[] file, ImagePreprocessing preprocessing)
    {
        var pixels = new byte[preprocessing.ByteCount];
        Assert.IsNull(new ImageDecoders(preprocessing).Rent().DecodeBytes((ReadOnlySpan<byte>)file, "image", pixels));
        return pixels;
    }

    private static string? Problem(byte[] file) =>
        new ImageDecoders(s_preprocessing).Rent().DecodeBytes((ReadOnlySpan<byte>)file, "image", new byte[s_preprocessing.ByteCount])?.Message;

    private float[] Embed(byte[] pixels)
    {
        var embedding = new float[Encoder.EmbedDim];
        Encoder.Embed(pixels, 1, embedding);
        return embedding;
    }
}
