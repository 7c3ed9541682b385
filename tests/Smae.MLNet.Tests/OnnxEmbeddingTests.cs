using Smae.Training;

namespace Smae.MLNet.Tests;

/// <summary>Embeddings by an exported encoder: those of TorchSharp, in pipelines as in <see cref="MaeTransformerTests"/>.</summary>
[TestClass]
public sealed class OnnxEmbeddingTests : EmbeddingFixture
{
    private readonly string _file;

    public OnnxEmbeddingTests()
    {
        _file = At("encoder.onnx");
        Encoder.ExportOnnx(_file);
    }

    [TestMethod]
    [DataRow(1)]
    [DataRow(7)]
    [DataRow(64)]
    [DataRow(1000)]
    [DataRow(int.MaxValue)]
    public void The_embedding_is_torchsharps_in_the_order_of_the_rows_at_every_batch_size(int batchSize)
    {
        using var transformer = Context.Transforms.OnnxEmbedding("Embedding", "ImagePath", _file, batchSize: batchSize).Fit(Images);
        Assert.AreEqual((Math.Min(batchSize, Array.MaxLength / Encoder.Preprocessing.ByteCount), OnnxDevice.Cpu), (transformer.BatchSize, transformer.Device));
        var rows = Read<EmbeddedRow>(transformer.Transform(Images));
        CollectionAssert.AreEqual(Read<PathRow>(Images).Select(row => row.ImagePath).ToArray(), rows.Select(row => row.ImagePath).ToArray());
        foreach (var row in rows)
            AssertClose(Expected(row.ImagePath), row.Embedding, row.ImagePath);
        Assert.AreEqual(Count, rows.Select(row => row.Embedding[0]).Distinct().Count(), "Every image has an embedding of its own.");
    }

    [TestMethod]
    [DataRow(OnnxInput.PlanarBytes, OnnxFlavor.Portable)]
    [DataRow(OnnxInput.NormalizedPlanes, OnnxFlavor.Fastest)]
    public void Files_of_every_form_are_taken_with_threads_and_warm_up_as_the_options_say(OnnxInput input, OnnxFlavor flavor)
    {
        Encoder.ExportOnnx(At("other.onnx"), new OnnxExportOptions { Input = input, Flavor = flavor, OutputName = "vector" });
        var options = new OnnxScoringOptions { BatchSize = 32, Threads = 1, WarmUp = true, OutputName = "vector" };
        using var transformer = Context.Transforms.OnnxEmbedding("Embedding", "ImagePath", At("other.onnx"), options).Fit(Images);
        foreach (var row in Read<EmbeddedRow>(transformer.Transform(Images)))
            AssertClose(Expected(row.ImagePath), row.Embedding, row.ImagePath);
    }

    [TestMethod]
    public void JPEG_files_get_the_embeddings_that_torchsharp_gives()
    {
        VisionTransformerConfig config = VisionTransformerConfig.VitLite7_4.ForImages(32, 8) with { EmbedDim = 64, Depth = 2 };
        using ImageEncoder encoder = ImageEncoder.Create(config, seed: 1);
        var images = Context.Data.TakeRows(Context.Data.LoadImageFolder(DataSets.TinyImageNet, ImageFolderSplit.Validation), 300);
        encoder.ExportOnnx(At("real.onnx"));
        using var transformer = Context.Transforms.OnnxEmbedding("Embedding", "ImagePath", At("real.onnx"), batchSize: 128).Fit(images);
        float[][] Embeddings(ITransformer by) => [.. by.Transform(images).GetColumn<float[]>("Embedding")];
        float[][] expected = Embeddings(Context.Transforms.MaeEmbedding("Embedding", "ImagePath", encoder).Fit(images)), found = Embeddings(transformer);
        Assert.HasCount(300, found);
        for (int i = 0; i < found.Length; i++)
            AssertClose(expected[i], found[i], $"row {i}");
        Assert.AreEqual(300, found.Select(e => e[0]).Distinct().Count());
    }

    [TestMethod]
    public void Bytes_and_images_are_embedded_like_files()
    {
        using var image = TestImages.Draw(1, TestModels.Size, TestModels.Size);
        string path = TestImages.Write(At("one.png"), 1, TestModels.Size, TestModels.Size);
        foreach (var (column, data) in new (string, IDataView)[]
        {
            ("Bytes", Context.Data.LoadFromEnumerable(new[] { new BytesRow { Bytes = File.ReadAllBytes(path) } })),
            ("Image", Context.Data.LoadFromEnumerable(new[] { new ImageRow { Image = image } })),
        })
        {
            using var transformer = Context.Transforms.OnnxEmbedding("Embedding", column, _file).Fit(data);
            AssertClose(Expected(path), Read<EmbeddingOnly>(transformer.Transform(data)).Single().Embedding, column);
        }
    }

    [TestMethod]
    public void Preview_cache_take_shuffle_and_a_chain_with_a_trainer_work_over_it()
    {
        using var transformer = Context.Transforms.OnnxEmbedding("Embedding", "ImagePath", _file).Fit(Images);
        var embedded = transformer.Transform(Images);
        Assert.HasCount(5, embedded.Preview(maxRows: 5).RowView);
        foreach (var data in (IDataView[])
            [Context.Data.Cache(embedded), Context.Data.TakeRows(embedded, 70), Context.Data.ShuffleRows(embedded, seed: 3)])
        {
            foreach (var row in Read<EmbeddedRow>(data))
                AssertClose(Expected(row.ImagePath), row.Embedding, row.ImagePath);
        }
        var pipeline = Context.Transforms.Conversion.MapValueToKey("Label")
            .Append(Context.Transforms.OnnxEmbedding("Embedding", "ImagePath", _file))
            .Append(Context.MulticlassClassification.Trainers.LbfgsMaximumEntropy("Label", "Embedding"));
        var model = pipeline.Fit(Images);
        Assert.IsGreaterThan(0.6, Context.MulticlassClassification.Evaluate(model.Transform(Images)).MicroAccuracy);
    }

    [TestMethod]
    public void A_prediction_engine_embeds_one_image_at_a_time_and_disposes_the_session()
    {
        var transformer = Context.Transforms.OnnxEmbedding("Embedding", "ImagePath", _file, batchSize: 256).Fit(Images);
        var lazy = transformer.Transform(Images);
        using (var engine = Context.Model.CreatePredictionEngine<PathRow, EmbeddingOnly>(transformer))
        {
            foreach (var row in Read<PathRow>(Images).Take(5))
                AssertClose(Expected(row.ImagePath), engine.Predict(row).Embedding, row.ImagePath);
            Assert.IsTrue(engine.Predict(new PathRow { ImagePath = "no such file" }).Embedding.All(float.IsNaN));
        }
        Assert.ThrowsExactly<ObjectDisposedException>(() => Read<EmbeddingOnly>(lazy));
        transformer.Dispose();
    }

    [TestMethod]
    public void An_image_that_fails_in_the_middle_of_many_is_nan_or_an_error_where_its_row_is_reached()
    {
        var log = new LogRecorder(Context);
        var rows = Read<PathRow>(Images);
        rows[100].ImagePath = TestImages.Truncate(TestImages.Write(At("broken.jpg"), 1));
        var data = Context.Data.LoadFromEnumerable(rows);
        using var skips = Context.Transforms.OnnxEmbedding("Embedding", "ImagePath", _file).Fit(data);
        var found = Read<EmbeddedRow>(skips.Transform(data));
        for (int i = 0; i < Count; i++)
        {
            if (i == 100)
                Assert.IsTrue(found[i].Embedding.All(float.IsNaN));
            else
                AssertClose(Expected(rows[i].ImagePath), found[i].Embedding, $"row {i}");
        }
        Assert.HasCount(2, log.Warnings);
        StringAssert.Contains(log.Warnings[0], "broken.jpg");

        using var fails = Context.Transforms.OnnxEmbedding("Embedding", "ImagePath", _file, brokenImages: BrokenImagePolicy.Fail).Fit(data);
        var failing = fails.Transform(data);
        using var cursor = failing.GetRowCursor([failing.Schema["Embedding"]]);
        for (int i = 0; i < 100; i++)
            Assert.IsTrue(cursor.MoveNext());
        StringAssert.Contains(Assert.ThrowsExactly<InvalidDataException>(() => cursor.MoveNext()).Message, "broken.jpg");
    }

    [TestMethod]
    public void A_saved_model_holds_transformers_of_ML_NET_and_embeds_the_same()
    {
        using var transformer = Context.Transforms.OnnxEmbedding("Embedding", "ImagePath", _file).Fit(Images);
        Context.Model.SaveAtomically(transformer, Images.Schema, At("model.zip"));
        File.Delete(_file);
        var loaded = new MLContext().Model.Load(At("model.zip"), out _);
        Assert.IsTrue(Flat((IEnumerable<ITransformer>)loaded).All(t => t.GetType().Namespace!.StartsWith("Microsoft.ML")));
        var some = Context.Data.TakeRows(Images, 5);
        var view = loaded.Transform(some);
        Assert.AreEqual(transformer.Transform(some).Schema["Embedding"].Type, view.Schema["Embedding"].Type);
        foreach (var row in Read<EmbeddedRow>(view))
            AssertClose(Expected(row.ImagePath), row.Embedding, row.ImagePath);
        (loaded as IDisposable)?.Dispose();
        Assert.HasCount(Count, Read<EmbeddedRow>(transformer.Transform(Images)), "Scoring needs the file no more.");
        StringAssert.Contains(
            Assert.ThrowsExactly<FileNotFoundException>(() => Context.Model.SaveAtomically(transformer, Images.Schema, At("model.zip"))).Message, "is gone");
    }

    [TestMethod]
    public void A_file_that_changes_later_is_not_taken_for_the_one_that_was_given()
    {
        var estimator = Context.Transforms.OnnxEmbedding("Embedding", "ImagePath", _file);
        using var transformer = estimator.Fit(Images);
        using ImageEncoder other = TestModels.Encoder(seed: 2);
        other.ExportOnnx(_file);
        File.SetLastWriteTimeUtc(_file, DateTime.UtcNow.AddMinutes(1));
        string message = Assert.ThrowsExactly<InvalidDataException>(() => Context.Model.Save(transformer, Images.Schema, Stream.Null)).Message;
        StringAssert.Contains(message, "has changed");
        Assert.ThrowsExactly<InvalidDataException>(() => estimator.Fit(Images));
        string path = AnyImage();
        var row = Read<EmbeddedRow>(transformer.Transform(Context.Data.LoadFromEnumerable([new PathRow { ImagePath = path }]))).Single();
        AssertClose(Expected(path), row.Embedding, "The session has the old weights.");
    }

    [TestMethod]
    public void Files_that_are_missing_truncated_foreign_or_of_another_kind_are_named()
    {
        void Refused<T>(string file, params string[] parts) where T : Exception
        {
            string message = Assert.ThrowsExactly<T>(() => Context.Transforms.OnnxEmbedding("Embedding", "ImagePath", file)).Message;
            foreach (string part in (string[])[Path.GetFullPath(file), .. parts])
                StringAssert.Contains(message, part);
        }

        Refused<FileNotFoundException>("missing.onnx");
        byte[] whole = File.ReadAllBytes(_file);
        foreach (double part in (double[])[0, 0.1, 0.5, 0.99])
        {
            File.WriteAllBytes(At("cut.onnx"), whole[..(int)(part * whole.Length)]);
            Refused<InvalidDataException>(At("cut.onnx"));
        }
        Refused<InvalidDataException>(TestImages.Write(At("image.png"), 1));
        using var classifier = new ImageClassifier(new VisionTransformerClassifier(TestModels.Config, 2, Pooling.Mean), TestModels.Preprocessing);
        classifier.ExportOnnx(At("classifier.onnx"));
        Refused<ArgumentException>(At("classifier.onnx"), "Classifier", "expected Encoder", "OnnxClassification");
        using var autoencoder = new MaskedAutoencoder(TestModels.Config, TestModels.Options.Decoder!, seed: 1);
        autoencoder.ExportOnnx(At("autoencoder.onnx"), TestModels.Options);
        Refused<ArgumentException>(At("autoencoder.onnx"), "Autoencoder", "expected Encoder");
    }

    [TestMethod]
    public void Names_options_and_columns_that_are_wrong_are_refused()
    {
        string message = Assert.ThrowsExactly<ArgumentException>(() => Context.Transforms.OnnxEmbedding(
            "Embedding", "ImagePath", _file, new OnnxScoringOptions { BatchSize = 0, Threads = 0, OutputName = "tokens" })).Message;
        foreach (string part in (string[])["BatchSize is 0", "Threads is 0", "OutputName is 'tokens'"])
            StringAssert.Contains(message, part);
        Assert.ThrowsExactly<ArgumentException>(() => Context.Transforms.OnnxEmbedding(" ", "ImagePath", _file));
        Assert.ThrowsExactly<ArgumentException>(() => Context.Transforms.OnnxEmbedding("Embedding", " ", _file));
        Assert.ThrowsExactly<ArgumentException>(() => Context.Transforms.OnnxEmbedding("Embedding", "ImagePath", ""));
        var error = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Context.Transforms.OnnxEmbedding("Embedding", null, _file).Fit(Images));
        StringAssert.Contains(error.Message, "Could not find input column 'Embedding'");
    }

    [TestMethod]
    public void The_device_is_the_contexts_unless_options_name_one_and_a_fallback_is_told()
    {
        var ml = new MLContext { GpuDeviceId = 99 };   // no machine has so many
        var estimator = ml.Transforms.OnnxEmbedding("Embedding", "ImagePath", _file);
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => estimator.Fit(Images)).Message, "Cuda (device 99) cannot be used");
        Assert.ThrowsExactly<InvalidOperationException>(() => ml.Transforms.OnnxEmbedding("Embedding", "ImagePath", _file, options: null).Fit(Images));
        using (var named = ml.Transforms.OnnxEmbedding("Embedding", "ImagePath", _file, new OnnxScoringOptions()).Fit(Images))
            Assert.AreEqual(OnnxDevice.Cpu, named.Device);

        ml.FallbackToCpu = true;
        var log = new LogRecorder(ml);
        using var transformer = estimator.Fit(Images);
        Assert.AreEqual(OnnxDevice.Cpu, transformer.Device);
        StringAssert.Contains(log.Warnings.Single(), "device 99");
    }

    private static IEnumerable<ITransformer> Flat(IEnumerable<ITransformer> chain) =>
        chain.SelectMany(t => t is IEnumerable<ITransformer> inner ? Flat(inner) : [t]);
}
