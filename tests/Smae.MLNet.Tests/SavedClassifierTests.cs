using System.Diagnostics;
using Microsoft.ML.Transforms.Image;
using Smae.Training;

namespace Smae.MLNet.Tests;

/// <summary>Saved classifiers: loaded, they are ML.NET's own transformers, score the same and are annotated as ML.NET's trainers annotate.</summary>
[TestClass]
public sealed class SavedClassifierTests : ClassificationFixture
{
    private string Zip => At("classifier.zip");

    [TestMethod]
    public void A_fine_tuned_classifier_is_loaded_with_its_classes_and_scores_the_same()
    {
        using var classifier = Context.MulticlassClassification.Trainers.VisionTransformer("Label", "ImagePath", Options).Fit(Keyed());
        AssertSavedIsTheSame(classifier);
    }

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void A_linear_probe_is_loaded_with_its_classes_and_scores_the_same(bool batchNorm)
    {
        using ImageEncoder encoder = TestModels.Encoder();
        var options = new LinearProbeOptions { Epochs = 20, BatchSize = 8, LearningRate = 1e-2, BatchNorm = batchNorm };
        using var classifier = Context.MulticlassClassification.Trainers.LinearProbe("Label", "ImagePath", encoder, options).Fit(Keyed());
        AssertSavedIsTheSame(classifier);
    }

    [TestMethod]
    public void A_SqueezeNet_is_loaded_with_its_classes_and_scores_the_same()
    {
        var preprocessing = new ImagePreprocessing { Height = 32, Width = 32 };
        var options = new SupervisedOptions { Epochs = 20, BatchSize = 8, LearningRate = 3e-4, Seed = 0 };
        using var classifier = Context.MulticlassClassification.Trainers.SqueezeNet("Label", "ImagePath", preprocessing, options).Fit(Keyed());
        AssertSavedIsTheSame(classifier);
    }

    [TestMethod]
    public void A_whole_pipeline_is_saved_and_predicts_the_names_of_classes()
    {
        var model = Pipeline().Fit(Images);
        var expected = Read<Prediction>(model.Transform(Images));
        Context.Model.SaveAtomically(model, Images.Schema, Zip);
        var found = Read<LoadedPrediction>(new MLContext().Model.Load(Zip, out _).Transform(Images));
        CollectionAssert.AreEqual(expected.Select(r => r.PredictedLabel).ToArray(), found.Select(r => r.PredictedLabel).ToArray());
    }

    [TestMethod]
    public void An_empty_path_is_an_error_that_says_so_and_an_image_that_is_null_gets_no_class()
    {
        using var classifier = Context.MulticlassClassification.Trainers.VisionTransformer("Label", "ImagePath", Options).Fit(Keyed());
        Context.Model.SaveAtomically(classifier, Images.Schema, Zip);
        var other = new MLContext();
        using (var engine = other.Model.CreatePredictionEngine<PathRow, LoadedKeys>(other.Model.Load(Zip, out _)))
        {
            string path = Read<PathRow>(Images)[0].ImagePath;
            float[] expected = engine.Predict(new() { ImagePath = path }).Score;
            foreach (string none in (string[])["", null!])
            {
                var error = Assert.ThrowsExactly<FileNotFoundException>(() => engine.Predict(new() { ImagePath = none }));
                StringAssert.Contains(error.Message, "(the path of this row's image is empty)");
                CollectionAssert.AreEqual(expected, engine.Predict(new() { ImagePath = path }).Score, "the next row is none the worse");
            }
        }

        IDataView nothing = Context.Data.LoadFromEnumerable<NullRow>([new()]);
        IDataView images = Context.Transforms.LoadImages("Image", "", "ImagePath").Fit(Images).Transform(Keyed());
        using var overImages = Context.MulticlassClassification.Trainers.VisionTransformer("Label", "Image", Options).Fit(images);
        Context.Model.SaveAtomically(overImages, nothing.Schema, Zip);
        LoadedKeys row = Read<LoadedKeys>(other.Model.Load(Zip, out _).Transform(nothing))[0];
        Assert.IsTrue(row.Score.All(float.IsNaN), string.Join(" ", row.Score));
        Assert.AreEqual(0u, row.PredictedLabel, "0 is a missing key.");
    }

    [TestMethod]
    [DataRow(2)]
    [DataRow(7)]
    [DataRow(100)]
    public void The_predictor_that_is_saved_gives_the_softmax_of_any_logits(int count)
    {
        var classes = LabelClasses.Of([.. Enumerable.Range(0, count).Select(i => $"class {i}")], count);
        var random = new Random(count);
        float[] logits = [.. Enumerable.Range(0, count).Select(_ => (float)(20 * random.NextDouble() - 10))];
        var definition = SchemaDefinition.Create(typeof(LogitsRow));
        definition["Logits"].ColumnType = new VectorDataViewType(NumberDataViewType.Single, count);
        IDataView data = Context.Data.LoadFromEnumerable([new LogitsRow { Logits = logits }], definition);
        Context.Model.Save(SoftmaxPredictor.Create("Logits", classes), data.Schema, Zip);
        var view = new MLContext().Model.Load(Zip, out _).Transform(data);
        float[] score = Context.Data.CreateEnumerable<ScoreRow>(view, reuseRowObject: false).Single().Score;
        double sum = logits.Sum(x => Math.Exp(x));
        for (int i = 0; i < count; i++) Assert.AreEqual(Math.Exp(logits[i]) / sum, score[i], 1e-5, $"{i}");
    }

    [TestMethod]
    public void A_classifier_of_ten_thousand_classes_is_saved_in_seconds()
    {
        const int Classes = 10_000;
        string onnx = At("many.onnx");
        string[] names = [.. Enumerable.Range(0, Classes).Select(i => $"class {i}")];
        using (var classifier = new ImageClassifier(new VisionTransformerClassifier(TestModels.Config, Classes, seed: 1), TestModels.Preprocessing, names))
            classifier.ExportOnnx(onnx);
        using var transformer = Context.Transforms.OnnxClassification("ImagePath", onnx).Fit(Images);

        var watch = Stopwatch.StartNew();
        Context.Model.SaveAtomically(transformer, Images.Schema, Zip);
        ITransformer loaded = new MLContext().Model.Load(Zip, out _);
        Assert.IsLessThan(30, watch.Elapsed.TotalSeconds, "Some tenths of a second here; what is quadratic in the classes takes many minutes.");
        Assert.IsLessThan(4 << 20, new FileInfo(Zip).Length);

        IDataView some = Context.Data.TakeRows(Images, 10), before = transformer.Transform(some), after = loaded.Transform(some);
        Assert.AreEqual(before.Schema["PredictedLabel"].Type, after.Schema["PredictedLabel"].Type);
        CollectionAssert.AreEqual(names, Values(after.Schema["PredictedLabel"], "KeyValues"));
        CollectionAssert.AreEqual(names, Values(after.Schema["Score"], "SlotNames"));
        uint[] expected = [.. before.GetColumn<uint>("PredictedLabel")], found = [.. after.GetColumn<uint>("PredictedLabel")];
        CollectionAssert.AreEqual(expected, found);
        foreach (var (one, other) in before.GetColumn<float[]>("Score").Zip(after.GetColumn<float[]>("Score")))
        {
            for (int i = 0; i < Classes; i++) Assert.AreEqual(one[i], other[i], 1e-5f);
            Assert.AreEqual(1, other.Sum(), 1e-3f);
        }
        (loaded as IDisposable)?.Dispose();
    }

    private void AssertSavedIsTheSame(ITransformer classifier)
    {
        IDataView before = classifier.Transform(Keyed());
        Context.Model.SaveAtomically(classifier, Images.Schema, Zip);
        ITransformer loaded = new MLContext().Model.Load(Zip, out _);
        IDataView after = loaded.Transform(Keyed());

        foreach (string name in (string[])["Score", "PredictedLabel"])
        {
            Assert.AreEqual(before.Schema[name].Type, after.Schema[name].Type, name);
            CollectionAssert.IsSubsetOf(
                before.Schema[name].Annotations.Schema.Select(a => a.Name).ToArray(), after.Schema[name].Annotations.Schema.Select(a => a.Name).ToArray(), name);
        }
        CollectionAssert.AreEqual(Values(before.Schema["PredictedLabel"], "KeyValues"), Values(after.Schema["PredictedLabel"], "KeyValues"));
        CollectionAssert.AreEqual(Values(before.Schema["Score"], "SlotNames"), Values(after.Schema["Score"], "SlotNames"));
        Assert.IsTrue(after.Schema.All(c => !c.Name.StartsWith("smae.") || c.IsHidden), "Columns of the chain's own show.");
        foreach (var (expected, found) in Read<LoadedKeys>(before).Zip(Read<LoadedKeys>(after)))
        {
            Assert.AreEqual(expected.PredictedLabel, found.PredictedLabel);
            for (int i = 0; i < expected.Score.Length; i++)
                Assert.AreEqual(expected.Score[i], found.Score[i], 1e-5f);
        }
        var metrics = Context.MulticlassClassification.Evaluate(before);
        Assert.AreEqual(metrics.LogLoss, Context.MulticlassClassification.Evaluate(after).LogLoss, 1e-4);
        Assert.IsGreaterThan(0.5, metrics.MicroAccuracy);
        (loaded as IDisposable)?.Dispose();
    }

    private static string[] Values(DataViewSchema.Column column, string kind)
    {
        VBuffer<ReadOnlyMemory<char>> values = default;
        column.Annotations.GetValue(kind, ref values);
        return [.. values.DenseValues().Select(value => value.ToString())];
    }

    private sealed class NullRow
    {
        [ImageType(1, 1)]
        public MLImage? Image { get; set; }
    }

    private sealed class LogitsRow
    {
        public float[] Logits { get; set; } = [];
    }

    private sealed class ScoreRow
    {
        public float[] Score { get; set; } = [];
    }

    private sealed class LoadedPrediction
    {
        public string PredictedLabel { get; set; } = "";
    }

    private sealed class LoadedKeys
    {
        [KeyType(2)]
        public uint PredictedLabel { get; set; }

        public float[] Score { get; set; } = [];
    }
}
