using Smae.Training;

namespace Smae.MLNet.Tests;

/// <summary>Classification by an exported classifier: what the classifier itself gives, annotated the same.</summary>
[TestClass]
public sealed class OnnxClassificationTests : ClassificationFixture
{
    private string Onnx => At("classifier.onnx");

    [TestMethod]
    public void An_exported_classifier_scores_and_is_annotated_as_the_trained_one_before_and_after_saving()
    {
        var data = Keyed();
        using var trained = Trainers.VisionTransformer("Label", "ImagePath", Options).Fit(data);
        trained.Model.ExportOnnx(Onnx);
        var estimator = Context.Transforms.OnnxClassification("ImagePath", Onnx, batchSize: 16);
        using var transformer = estimator.Fit(Images);
        CollectionAssert.AreEqual(TestImages.Classes, transformer.Info.ClassNames!.ToArray());
        IDataView before = trained.Transform(data), after = transformer.Transform(data);

        foreach (string name in (string[])["PredictedLabel", "Score", "Probability"])
        {
            Assert.AreEqual(before.Schema[name].Type, after.Schema[name].Type, name);
            CollectionAssert.AreEquivalent(Annotations(before.Schema[name]), Annotations(after.Schema[name]), name);
        }
        CollectionAssert.AreEqual(TestImages.Classes, Values(after.Schema["PredictedLabel"], "KeyValues"));
        CollectionAssert.AreEqual(TestImages.Classes, Values(after.Schema["Score"], "SlotNames"));
        var (expected, found) = (Read<KeyPrediction>(before), Read<KeyPrediction>(after));
        Assert.HasCount(Count, found);
        for (int i = 0; i < Count; i++)
        {
            Assert.AreEqual(expected[i].PredictedLabel, found[i].PredictedLabel);
            Assert.AreEqual(expected[i].Probability, found[i].Probability, 1e-4f);
            for (int c = 0; c < 2; c++)
                Assert.AreEqual(expected[i].Score[c], found[i].Score[c], 1e-4f);
        }
        Assert.AreEqual(
            Context.MulticlassClassification.Evaluate(before).LogLoss, Context.MulticlassClassification.Evaluate(after).LogLoss, 1e-4);

        Context.Model.SaveAtomically(transformer, Images.Schema, At("classifier.zip"));
        var loaded = new MLContext().Model.Load(At("classifier.zip"), out _).Transform(data);
        CollectionAssert.AreEqual(TestImages.Classes, Values(loaded.Schema["PredictedLabel"], "KeyValues"));
        CollectionAssert.AreEqual(
            expected.Select(row => row.PredictedLabel).ToArray(), loaded.GetColumn<uint>("PredictedLabel").ToArray());
        foreach (var (first, second) in expected.Zip(loaded.GetColumn<float[]>("Score")))
            Assert.AreEqual(first.Score[0], second[0], 1e-4f);
    }

    [TestMethod]
    public void In_a_chain_and_a_prediction_engine_it_names_classes_and_a_broken_image_has_none()
    {
        using var classifier = Classifier(TestImages.Classes);
        classifier.ExportOnnx(Onnx);
        var model = Context.Transforms.OnnxClassification("ImagePath", Onnx, options: null)
            .Append(Context.Transforms.Conversion.MapKeyToValue("PredictedLabel")).Fit(Images);
        var rows = Read<Prediction>(model.Transform(Images));
        CollectionAssert.IsSubsetOf(rows.Select(row => row.PredictedLabel).Distinct().ToArray(), TestImages.Classes);
        using var engine = Context.Model.CreatePredictionEngine<PathRow, Prediction>(model);
        foreach (var row in rows.Take(3))
        {
            var one = engine.Predict(new PathRow { ImagePath = row.ImagePath });
            Assert.AreEqual((row.PredictedLabel, row.Probability), (one.PredictedLabel, one.Probability));
            Assert.AreEqual(1, one.Score.Sum(), 1e-4);
        }
        var missing = engine.Predict(new PathRow { ImagePath = "no such file" });
        Assert.AreEqual("", missing.PredictedLabel);
        Assert.IsTrue(missing.Score.All(float.IsNaN) && float.IsNaN(missing.Probability));
    }

    [TestMethod]
    public void Classes_without_names_are_keys_without_values()
    {
        using var classifier = Classifier(null);
        classifier.ExportOnnx(Onnx);
        using var transformer = Context.Transforms.OnnxClassification("ImagePath", Onnx).Fit(Images);
        var label = transformer.GetOutputSchema(Images.Schema)["PredictedLabel"];
        Assert.AreEqual(new KeyDataViewType(typeof(uint), 2), label.Type);
        Assert.IsNull(label.Annotations.Schema.GetColumnOrNull("KeyValues"));
    }

    [TestMethod]
    public void Encoders_and_options_that_ask_for_something_else_than_probabilities_are_refused()
    {
        using (var encoder = TestModels.Encoder())
            encoder.ExportOnnx(Onnx);
        string message = Assert.ThrowsExactly<ArgumentException>(() => Context.Transforms.OnnxClassification("ImagePath", Onnx)).Message;
        foreach (string part in (string[])[Onnx, "Encoder", "expected Classifier", "OnnxEmbedding"])
            StringAssert.Contains(message, part);
        using var classifier = Classifier(null);
        classifier.ExportOnnx(Onnx);
        message = Assert.ThrowsExactly<ArgumentException>(
            () => Context.Transforms.OnnxClassification("ImagePath", Onnx, new OnnxScoringOptions { OutputName = "logits" })).Message;
        StringAssert.Contains(message, "reads the probabilities");
    }

    private static ImageClassifier Classifier(string[]? names) =>
        new(new VisionTransformerClassifier(TestModels.Config, 2, Pooling.Mean), TestModels.Preprocessing, names);

    private static string[] Annotations(DataViewSchema.Column column) => [.. column.Annotations.Schema.Select(a => $"{a.Name} {a.Type}")];

    private static string[] Values(DataViewSchema.Column column, string kind)
    {
        VBuffer<ReadOnlyMemory<char>> values = default;
        column.Annotations.GetValue(kind, ref values);
        return [.. values.DenseValues().Select(value => value.ToString())];
    }
}
