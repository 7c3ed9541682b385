using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace Dependencies.Tests.MicrosoftML;

/// <summary>Pictures in pipelines: loading, whose they are, saving.</summary>
[TestClass]
public class ImagesPipelineTests
{
    private readonly MLContext _ml = new(seed: 1);

    [TestMethod]
    public void Files_become_vectors()
    {
        using var folder = new ImagesFolder();
        IDataView data = Paths(folder, 3);
        IDataView vectors = Chain(folder).Fit(data).Transform(data);
        for (int pass = 0; pass < 2; pass++)
        {
            float[][] rows = [.. vectors.GetColumn<float[]>("Pixels")];
            Assert.HasCount(3, rows);
            for (int i = 0; i < 3; i++)
                CollectionAssert.AreEqual(Enumerable.Repeat((float)(10 * i), 12).ToArray(), rows[i]);
        }
    }

    [TestMethod]
    public void Loaded_pictures_are_tagged_with_their_paths()
    {
        using var folder = new ImagesFolder();
        IDataView data = Paths(folder, 1);
        IDataView images = _ml.Transforms.LoadImages("Image", folder.Path, "Path").Fit(data).Transform(data);
        Assert.AreEqual("Image", images.Schema["Image"].Type.ToString());
        using DataViewRowCursor cursor = images.GetRowCursor([images.Schema["Image"]]);
        ValueGetter<MLImage> getter = cursor.GetGetter<MLImage>(images.Schema["Image"]);
        Assert.IsTrue(cursor.MoveNext());
        MLImage? image = null;
        getter(ref image!);
        Assert.AreEqual(folder.At("0.png"), image.Tag);
        cursor.Dispose();
        Assert.ThrowsExactly<InvalidOperationException>(() => image.Width);
    }

    [TestMethod]
    public void Raw_bytes_are_those_of_the_file()
    {
        using var folder = new ImagesFolder();
        IDataView data = Paths(folder, 2);
        IDataView bytes = _ml.Transforms.LoadRawImageBytes("Bytes", folder.Path, "Path").Fit(data).Transform(data);
        Assert.AreEqual(new VectorDataViewType(NumberDataViewType.Byte), bytes.Schema["Bytes"].Type);
        byte[][] rows = [.. bytes.GetColumn<byte[]>("Bytes")];
        for (int i = 0; i < 2; i++)
            CollectionAssert.AreEqual(File.ReadAllBytes(folder.At($"{i}.png")), rows[i]);
    }

    [TestMethod]
    public void Missing_files_and_folders_are_errors()
    {
        using var folder = new ImagesFolder();
        Assert.ThrowsExactly<ArgumentException>(() => _ml.Transforms.LoadImages("Image", folder.At("nowhere"), "Path"));
        IDataView data = _ml.Data.LoadFromEnumerable([new PathRow { Path = "nothing.png" }]);
        IDataView vectors = Chain(folder).Fit(data).Transform(data);
        // Where columns are computed on several threads the exception comes wrapped.
        var exception = Assert.Throws<Exception>(() => vectors.GetColumn<float[]>("Pixels").ToArray());
        Assert.IsInstanceOfType<FileNotFoundException>(exception.GetBaseException());
    }

    [TestMethod]
    public void Extraction_destroys_the_last_picture_in_memory()
    {
        MLImage[] images = Images(3);
        IDataView data = _ml.Data.LoadFromEnumerable(images.Select(image => new ImageRow { Image = image }).ToArray());
        IDataView vectors = _ml.Transforms.ExtractPixels("Pixels", "Image").Fit(data).Transform(data);
        Assert.HasCount(3, vectors.GetColumn<float[]>("Pixels").ToArray());
        CollectionAssert.AreEqual(new[] { true, true, false }, images.Select(IsAlive).ToArray());
    }

    [TestMethod]
    public void Resizing_to_the_same_size_before_it_destroys_all()
    {
        MLImage[] images = Images(3);
        IDataView data = _ml.Data.LoadFromEnumerable(images.Select(image => new ImageRow { Image = image }).ToArray());
        var chain = _ml.Transforms.ResizeImages("Image", 2, 2).Append(_ml.Transforms.ExtractPixels("Pixels", "Image"));
        IDataView vectors = chain.Fit(data).Transform(data);
        Assert.HasCount(3, vectors.GetColumn<float[]>("Pixels").ToArray());
        CollectionAssert.AreEqual(new[] { false, false, false }, images.Select(IsAlive).ToArray());
    }

    [TestMethod]
    public void Saved_chains_do_the_same()
    {
        using var folder = new ImagesFolder();
        IDataView data = Paths(folder, 3);
        ITransformer chain = Chain(folder).Fit(data);
        string path = folder.At("chain.zip");
        _ml.Model.Save(chain, data.Schema, path);
        ITransformer loaded = new MLContext().Model.Load(path, out DataViewSchema schema);
        Assert.IsNotNull(schema.GetColumnOrNull("Path"));
        float[][] before = [.. chain.Transform(data).GetColumn<float[]>("Pixels")];
        float[][] after = [.. loaded.Transform(data).GetColumn<float[]>("Pixels")];
        for (int i = 0; i < 3; i++)
            CollectionAssert.AreEqual(before[i], after[i]);
    }

    [TestMethod]
    public void Single_pictures_go_through_an_engine()
    {
        using var folder = new ImagesFolder();
        IDataView data = Paths(folder, 2);
        using var engine = _ml.Model.CreatePredictionEngine<PathRow, PixelRow>(Chain(folder).Fit(data));
        CollectionAssert.AreEqual(new float[12], engine.Predict(new PathRow { Path = "0.png" }).Pixels);
        CollectionAssert.AreEqual(Enumerable.Repeat(10f, 12).ToArray(), engine.Predict(new PathRow { Path = "1.png" }).Pixels);
    }

    [TestMethod]
    public void Pictures_of_a_size_that_no_attribute_has_named_are_not_read_into_objects()
    {
        using var folder = new ImagesFolder();
        IDataView data = Paths(folder, 1);
        // What is known is known to the whole process: these sizes are nobody else's.
        IDataView Resized(int width, int height) =>
            _ml.Transforms.LoadImages("Image", folder.Path, "Path").Append(_ml.Transforms.ResizeImages("Image", width, height)).Fit(data).Transform(data);
        var error = Assert.ThrowsExactly<NotImplementedException>(() => _ml.Data.CreateEnumerable<OddImageRow>(Resized(7, 3), false).ToArray());
        StringAssert.Contains(error.Message, "'Microsoft.ML.Data.MLImage' is not yet supported");
        Assert.AreEqual(7, _ml.Data.CreateEnumerable<OddImageRow>(Resized(7, 5), false).Select(row => row.Image!.Width).Single());
    }

    private static bool IsAlive(MLImage image)
    {
        try
        {
            return image.Width == 2;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    private static MLImage[] Images(int count) =>
        [.. Enumerable.Range(0, count).Select(i => MLImage.CreateFromPixels(2, 2, MLPixelFormat.Bgra32, [.. Enumerable.Repeat((byte)i, 16)]))];

    private IDataView Paths(ImagesFolder folder, int count)
    {
        for (int i = 0; i < count; i++)
            folder.Write($"{i}.png", ImagesPngFile.Encode(4, 4, [.. Enumerable.Repeat((byte)(10 * i), 48)]));
        return _ml.Data.LoadFromEnumerable(Enumerable.Range(0, count).Select(i => new PathRow { Path = $"{i}.png" }).ToArray());
    }

    private EstimatorChain<ImagePixelExtractingTransformer> Chain(ImagesFolder folder) =>
        _ml.Transforms.LoadImages("Image", folder.Path, "Path")
            .Append(_ml.Transforms.ResizeImages("Image", 2, 2))
            .Append(_ml.Transforms.ExtractPixels("Pixels", "Image"));

    private sealed class PathRow
    {
        public string? Path { get; set; }
    }

    private sealed class ImageRow
    {
        [ImageType(2, 2)]
        public MLImage? Image { get; set; }
    }

    private sealed class OddImageRow
    {
        [ImageType(5, 7)]
        public MLImage? Image { get; set; }
    }

    private sealed class PixelRow
    {
        public float[]? Pixels { get; set; }
    }
}
