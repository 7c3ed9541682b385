using Smae.Training;

namespace Smae.MLNet.Tests;

/// <summary>Smae's components as parts of pipelines: what ML.NET's own do there, they do too.</summary>
[TestClass]
public sealed class PipelineTests : EmbeddingFixture
{
    [TestMethod]
    public void A_cursor_that_has_been_disposed_has_no_more_rows_and_may_be_disposed_again()
    {
        var log = new LogRecorder(Context);
        List<PathRow> rows = [new() { ImagePath = AnyImage() }, new() { ImagePath = "no such file" }, new() { ImagePath = AnyImage() }];
        var paths = Context.Data.LoadFromEnumerable(rows);
        Context.Data.SaveEmbeddings(Embed(Images), At("embeddings.parquet"));
        IDataView loaded = Context.Transforms.LoadImages("Image", "", "ImagePath").Fit(Images).Transform(Images);
        IDataView overImages = Context.Transforms.MaeEmbedding("Embedding", "Image", Encoder).Fit(loaded).Transform(loaded);
        foreach (IDataView view in new[] { Embed(paths), overImages, Context.Data.LoadEmbeddings(At("embeddings.parquet")) })
        {
            DataViewRowCursor cursor = view.GetRowCursor(view.Schema);
            var getter = cursor.GetGetter<VBuffer<float>>(view.Schema["Embedding"]);
            Assert.IsTrue(cursor.MoveNext() && cursor.MoveNext());
            cursor.Dispose();
            cursor.Dispose();
            Assert.IsFalse(cursor.MoveNext());
            Assert.AreEqual(-1, cursor.Position);
            VBuffer<float> value = default;
            Assert.ThrowsExactly<InvalidOperationException>(() => getter(ref value));
        }
        Assert.HasCount(1, log.Warnings.Where(warning => warning.StartsWith("1 of 2 images are broken")).ToArray(), "It is summed up once.");

        IDataView unread = Embed(paths);
        DataViewRowCursor never = unread.GetRowCursor(unread.Schema);
        never.Dispose();
        never.Dispose();
        Assert.IsFalse(never.MoveNext());
    }

    [TestMethod]
    public void Columns_of_another_schema_are_refused_by_their_name()
    {
        Context.Data.SaveEmbeddings(Embed(Images), At("embeddings.parquet"));
        var copies = Enumerable.Range(0, 6).Aggregate(Images, (data, i) => Context.Transforms.CopyColumns($"Copy{i}", "ImagePath").Fit(data).Transform(data));
        DataViewSchema.Column foreign = copies.Schema["Copy5"];
        foreach (IDataView view in new[] { Embed(Images), Context.Data.LoadEmbeddings(At("embeddings.parquet")) })
        {
            using DataViewRowCursor cursor = view.GetRowCursor(view.Schema);
            foreach (Action use in new Action[]
            {
                () => view.GetRowCursor([foreign]), () => cursor.IsColumnActive(foreign), () => cursor.GetGetter<ReadOnlyMemory<char>>(foreign),
            }) StringAssert.Contains(Assert.ThrowsExactly<ArgumentOutOfRangeException>(use).Message, "'Copy5'");
        }
    }

    [TestMethod]
    public void An_estimator_may_be_fitted_again_and_stand_in_several_chains_and_its_results_share_nothing()
    {
        Encoder.ExportOnnx(At("encoder.onnx"));
        var few = Context.Data.TakeRows(Images, 20);
        IEstimator<ITransformer>[] estimators =
        [
            Context.Transforms.OnnxEmbedding("Embedding", "ImagePath", At("encoder.onnx")),
            Context.Transforms.MaePretrain("Embedding", "ImagePath", TestModels.Options with { Seed = 1 }),
        ];
        foreach (var estimator in estimators)
        {
            var (first, second) = (estimator.Fit(few), estimator.Append(Context.Transforms.CopyColumns("Copy", "Embedding")).Fit(few));
            float[][] expected = [.. first.Transform(few).GetColumn<float[]>("Embedding")];
            ((IDisposable)first).Dispose();
            ((IDisposable)first).Dispose();
            var found = second.Transform(few).GetColumn<float[]>("Copy").ToArray();
            foreach (var (one, other) in expected.Zip(found)) CollectionAssert.AreEqual(one, other);
            ((IDisposable)second).Dispose();
            foreach (var disposed in new[] { first, second })
                Assert.ThrowsExactly<ObjectDisposedException>(() => disposed.Transform(few).GetColumn<float[]>("Embedding").First());
        }
    }

    [TestMethod]
    public void A_column_named_as_the_images_takes_their_place_before_and_after_saving()
    {
        var transformer = Context.Transforms.MaeEmbedding("ImagePath", null, Encoder).Fit(Images);
        Context.Model.Save(transformer, Images.Schema, At("model.zip"));
        ITransformer loaded = new MLContext().Model.Load(At("model.zip"), out _);
        var few = Context.Data.TakeRows(Images, 3);
        foreach (ITransformer model in new[] { transformer, loaded })
        {
            IDataView embedded = model.Transform(few);
            var named = embedded.Schema.Where(column => column.Name == "ImagePath").ToArray();
            CollectionAssert.AreEqual(new[] { true, false }, named.Select(column => column.IsHidden).ToArray());
            Assert.AreEqual(TextDataViewType.Instance, named[0].Type);
            foreach (var (path, found) in few.GetColumn<string>("ImagePath").Zip(embedded.GetColumn<float[]>("ImagePath")))
                AssertClose(Expected(path), found, path);
        }
        ((IDisposable)loaded).Dispose();
    }

    [TestMethod]
    public void Names_of_columns_may_be_any_text_before_and_after_saving()
    {
        const string input = "Bild \"ü\" {0}\n日本", output = "  a/b:0 \\ {1} ";
        var data = Context.Data.TakeRows(Context.Transforms.CopyColumns(input, "ImagePath").Fit(Images).Transform(Images), 3);
        var transformer = Context.Transforms.MaeEmbedding(output, input, Encoder).Fit(data);
        Context.Model.Save(transformer, data.Schema, At("model.zip"));
        ITransformer loaded = new MLContext().Model.Load(At("model.zip"), out _);
        foreach (ITransformer model in new[] { transformer, loaded })
        foreach (var (path, found) in data.GetColumn<string>("ImagePath").Zip(model.Transform(data).GetColumn<float[]>(output)))
            AssertClose(Expected(path), found, path);
        ((IDisposable)loaded).Dispose();
    }

    [TestMethod]
    public void A_getter_fills_whatever_buffer_it_is_given_as_often_as_it_is_asked()
    {
        IDataView embedded = Embed(Images);
        using DataViewRowCursor cursor = embedded.GetRowCursor([embedded.Schema["Embedding"], embedded.Schema["ImagePath"]]);
        var getter = cursor.GetGetter<VBuffer<float>>(embedded.Schema["Embedding"]);
        var paths = cursor.GetGetter<ReadOnlyMemory<char>>(embedded.Schema["ImagePath"]);
        ReadOnlyMemory<char> path = default;
        for (int row = 0; cursor.MoveNext(); row++)
        {
            if (row % 50 != 3) continue;   // the others are never asked for
            paths(ref path);
            float[] expected = Expected(path.ToString());
            foreach (VBuffer<float> given in new VBuffer<float>[]
            {
                default, new(100, 2, [1, 2], [3, 50]), new(100, new float[100]), new(2, new float[2]), new(TestModels.Width, 0, [], []),
            })
            {
                VBuffer<float> value = given;
                getter(ref value);
                Assert.IsTrue(value.IsDense);
                AssertClose(expected, [.. value.DenseValues()], $"row {row}");
            }
        }
    }

    [TestMethod]
    public void Pictures_of_an_autoencoder_that_has_been_disposed_are_an_error_that_says_so()
    {
        var few = Context.Data.TakeRows(Images, 3);
        var embedder = Context.Transforms.MaePretrain("Embedding", "ImagePath", TestModels.Options).Fit(few);
        var pictures = Context.Transforms.MaeReconstruct("Picture", "ImagePath", embedder);
        IDataView drawn = pictures.Fit(few).Transform(few);
        Assert.HasCount(3, drawn.GetColumn<MLImage>("Picture").Select(picture => picture.Width).ToArray());
        embedder.Dispose();
        foreach (Action late in new Action[] { () => drawn.GetColumn<MLImage>("Picture").First(), () => pictures.Fit(few) })
            Assert.AreEqual(typeof(MaskedAutoencoder).FullName, Assert.ThrowsExactly<ObjectDisposedException>(late).ObjectName);
    }

    [TestMethod]
    public void What_the_test_data_alone_has_and_labels_of_any_type_go_through_cross_validation_and_evaluation()
    {
        var options = new FineTuneOptions { Architecture = TestModels.Config, Epochs = 1, BatchSize = 8 };
        var trainer = Context.MulticlassClassification.Trainers.VisionTransformer("Label", "ImagePath", options);
        List<PathRow> rows = [.. Read<PathRow>(Images).Where((_, i) => i % 5 == 0)];   // of both classes
        rows[0].Label = "rare";
        rows[1].Label = null!;   // ML.NET's missing text
        var data = Context.Data.LoadFromEnumerable(rows);
        var keys = Context.Transforms.Conversion.MapValueToKey("Label");
        foreach (var folds in new[]
        {
            Context.MulticlassClassification.CrossValidate(data, keys.Append(trainer), 3),                   // a fold's keys are its own
            Context.MulticlassClassification.CrossValidate(keys.Fit(data).Transform(data), trainer, 3, samplingKeyColumnName: "ImagePath"),
        })
        {
            Assert.HasCount(3, folds);
            Assert.IsTrue(folds.All(fold => fold.Metrics.MicroAccuracy is >= 0 and <= 1));
        }

        var flags = Context.Data.LoadFromEnumerable(rows.Select((row, i) => new FlagRow { ImagePath = row.ImagePath, Label = i % 2 == 0 }).ToList());
        using var named = (IDisposable)keys.Append(trainer).Append(Context.Transforms.Conversion.MapKeyToValue("PredictedLabel")).Fit(flags);
        Assert.AreEqual(BooleanDataViewType.Instance, ((ITransformer)named).Transform(flags).Schema["PredictedLabel"].Type);
    }

    private sealed class FlagRow
    {
        public string ImagePath { get; set; } = "";

        public bool Label { get; set; }
    }
}
