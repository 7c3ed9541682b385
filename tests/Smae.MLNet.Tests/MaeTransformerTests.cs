namespace Smae.MLNet.Tests;

/// <summary>The embedding column in pipelines.</summary>
[TestClass]
public sealed class MaeTransformerTests : EmbeddingFixture
{
    [TestMethod]
    public void The_embedding_is_the_encoders_of_the_decoded_image()
    {
        var rows = Read<EmbeddedRow>(Embed(Images));
        Assert.HasCount(Count, rows);
        foreach (var row in rows)
            AssertClose(Expected(row.ImagePath), row.Embedding, row.ImagePath);
        Assert.AreEqual(Count, rows.Select(row => row.Embedding[0]).Distinct().Count(), "Every image has an embedding of its own.");
    }

    [TestMethod]
    [DataRow(20)]
    [DataRow(TestModels.Size)] // ResizeImages hands on the very image it got.
    public void Images_that_are_read_along_with_their_embeddings_are_alive(int size)
    {
        using var folder = new TempFolder();
        TestImages.WriteFolder(folder, Count, size, size);
        var data = Context.Data.LoadImageFolder(folder.Path);
        var loaded = Context.Transforms.LoadImages("Image", "", "ImagePath")
            .Append(Context.Transforms.ResizeImages("Image", TestModels.Size, TestModels.Size)).Fit(data).Transform(data);
        var embedded = Context.Transforms.MaeEmbedding("Embedding", "Image", Encoder).Fit(loaded).Transform(loaded);
        using var cursor = embedded.GetRowCursor(embedded.Schema);
        var images = cursor.GetGetter<MLImage>(embedded.Schema["Image"]);
        var paths = cursor.GetGetter<ReadOnlyMemory<char>>(embedded.Schema["ImagePath"]);
        var embeddings = cursor.GetGetter<VBuffer<float>>(embedded.Schema["Embedding"]);
        MLImage image = null!;
        ReadOnlyMemory<char> path = default;
        VBuffer<float> embedding = default;
        int count = 0;
        while (cursor.MoveNext())
        {
            images(ref image);
            embeddings(ref embedding);
            paths(ref path);
            Assert.AreEqual(TestModels.Size, image.Width, "The image is still there after the embedding was read.");
            AssertClose(Expected(path.ToString()), [.. embedding.DenseValues()], path.ToString());
            count++;
        }
        Assert.AreEqual(Count, count);
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
            var row = Read<EmbeddingOnly>(Context.Transforms.MaeEmbedding("Embedding", column, Encoder).Fit(data).Transform(data)).Single();
            AssertClose(Expected(path), row.Embedding, column);
        }
    }

    [TestMethod]
    public void A_missing_image_is_nan()
    {
        var data = Context.Data.LoadFromEnumerable(new[] { new ImageRow(), new ImageRow { Image = TestImages.Draw(1) } });
        var rows = Read<EmbeddingOnly>(Context.Transforms.MaeEmbedding("Embedding", "Image", Encoder).Fit(data).Transform(data));
        Assert.IsTrue(rows[0].Embedding.All(float.IsNaN));
        Assert.IsTrue(rows[1].Embedding.All(float.IsFinite));
    }

    [TestMethod]
    public void Preview_cache_take_shuffle_and_split_work_over_it()
    {
        var embedded = Embed(Images);
        var expected = Read<EmbeddedRow>(embedded).ToDictionary(row => row.ImagePath, row => row.Embedding);

        var preview = embedded.Preview(maxRows: 5);
        Assert.HasCount(5, preview.RowView);
        Check(Context.Data.Cache(embedded), Count);
        Check(Context.Data.TakeRows(embedded, 70), 70);
        Check(Context.Data.SkipRows(embedded, 70), Count - 70);
        Check(Context.Data.ShuffleRows(embedded, seed: 3), Count);
        var split = Context.Data.TrainTestSplit(embedded, testFraction: 0.3, seed: 3);
        var train = Read<EmbeddedRow>(split.TrainSet);
        var test = Read<EmbeddedRow>(split.TestSet);
        Assert.AreEqual(Count, train.Count + test.Count);
        Assert.IsFalse(train.Select(row => row.ImagePath).Intersect(test.Select(row => row.ImagePath)).Any());
        Check(split.TrainSet, train.Count);

        void Check(IDataView data, int count)
        {
            var rows = Read<EmbeddedRow>(data);
            Assert.HasCount(count, rows);
            foreach (var row in rows)
                AssertClose(expected[row.ImagePath], row.Embedding, row.ImagePath);
        }
    }

    [TestMethod]
    public void A_prediction_engine_embeds_one_image_at_a_time_and_leaves_a_given_encoder_alone()
    {
        var transformer = Context.Transforms.MaeEmbedding("Embedding", "ImagePath", Encoder).Fit(Images);
        using (var engine = Context.Model.CreatePredictionEngine<PathRow, EmbeddingOnly>(transformer))
        {
            foreach (var row in Read<PathRow>(Images).Take(5))
                AssertClose(Expected(row.ImagePath), engine.Predict(row).Embedding, row.ImagePath);
            Assert.IsTrue(engine.Predict(new PathRow { ImagePath = "no such file" }).Embedding.All(float.IsNaN));
        }
        Assert.HasCount(Count, Read<EmbeddedRow>(transformer.Transform(Images)));
    }

    [TestMethod]
    public void An_encoder_is_read_from_a_file()
    {
        string path = At("encoder.safetensors");
        Encoder.Save(path);
        var transformer = Context.Transforms.MaeEmbedding("Embedding", "ImagePath", path).Fit(Images);
        var row = Read<EmbeddedRow>(Context.Data.TakeRows(transformer.Transform(Images), 1))[0];
        AssertClose(Expected(row.ImagePath), row.Embedding, row.ImagePath);
        Assert.IsNull(transformer.Pretraining);
        Assert.ThrowsExactly<FileNotFoundException>(() => Context.Transforms.MaeEmbedding("Embedding", "ImagePath", "no.safetensors"));
    }
}
