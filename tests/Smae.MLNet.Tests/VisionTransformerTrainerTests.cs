using Smae.Training;

namespace Smae.MLNet.Tests;

/// <summary>Training a classifier end to end inside ML.NET's pipelines.</summary>
[TestClass]
public sealed class VisionTransformerTrainerTests : ClassificationFixture
{
    [TestMethod]
    public void Train_evaluate_predict_and_append()
    {
        using var classifier = Pipeline().Fit(Images);
        var scored = classifier.Transform(Images);
        var metrics = Context.MulticlassClassification.Evaluate(scored);
        Assert.IsGreaterThan(0.85, metrics.MicroAccuracy, "The background tells the classes apart.");

        var rows = Read<Prediction>(scored);
        Assert.HasCount(Count, rows);
        foreach (var row in rows)
        {
            Assert.AreEqual(1, row.Score.Sum(), 1e-4f);
            Assert.AreEqual(row.Score.Max(), row.Probability);
            Assert.AreEqual(TestImages.Classes[row.Score[0] >= row.Score[1] ? 0 : 1], row.PredictedLabel, "Keys are in the order of the folders.");
        }
        double logLoss = -rows.Average(row => Math.Log(row.Score[row.ImagePath.Contains("square", StringComparison.Ordinal) ? 1 : 0]));
        Assert.AreEqual(logLoss, metrics.LogLoss, 1e-4, "Scores are probabilities.");

        using var engine = Context.Model.CreatePredictionEngine<PathRow, Prediction>(
            classifier, new PredictionEngineOptions { OwnsTransformer = false });
        for (int i = 0; i < 5; i++)
        {
            var prediction = engine.Predict(new PathRow { ImagePath = rows[i].ImagePath });
            Assert.AreEqual(rows[i].PredictedLabel, prediction.PredictedLabel);
            Assert.AreEqual(rows[i].Probability, prediction.Probability, 1e-4f);
        }
        Assert.HasCount(3, scored.Preview(3).RowView);
        Assert.HasCount(Count, Read<Prediction>(Context.Data.Cache(scored)));
        Assert.HasCount(Count, Read<Prediction>(Context.Data.ShuffleRows(scored, seed: 1)));
        var sure = Context.Data.FilterRowsByColumn(scored, "Probability", lowerBound: 0.5);
        Assert.HasCount(rows.Count(row => row.Probability >= 0.5), Read<Prediction>(sure));
    }

    [TestMethod]
    public void Cross_validation_trains_and_scores_each_fold()
    {
        var folds = Context.MulticlassClassification.CrossValidate(Images, Pipeline(Options with { Epochs = 4 }), numberOfFolds: 2, seed: 3);
        Assert.HasCount(2, folds);
        foreach (var fold in folds)
        {
            Assert.IsGreaterThan(0.6, fold.Metrics.MicroAccuracy);
            (fold.Model as IDisposable)?.Dispose();
        }
    }

    [TestMethod]
    public void An_encoder_pretrained_on_other_data_is_fine_tuned_and_stays_as_it_was()
    {
        using var other = new TempFolder();
        TestImages.WriteFolder(other, 16);
        var unlabelled = Context.Data.LoadImageFolder(other.Path);
        using var embedder = Context.Transforms.MaePretrain("Embedding", "ImagePath", TestModels.Options).Fit(unlabelled);
        float[] before = Embed(embedder);
        var trainer = Trainers.VisionTransformer("Label", "ImagePath", embedder.Encoder, epochs: 3);
        using var classifier = trainer.Fit(Keyed());
        Assert.HasCount(3, classifier.Training.History);
        CollectionAssert.AreEqual(TestImages.Classes, classifier.Model.ClassNames!.ToArray());
        Assert.AreEqual(embedder.Encoder.Preprocessing, classifier.Model.Preprocessing);
        CollectionAssert.AreEqual(before, Embed(embedder));

        float[] Embed(MaeTransformer transformer) => Read<EmbeddingOnly>(Context.Data.TakeRows(transformer.Transform(Images), 1))[0].Embedding;
    }

    [TestMethod]
    public void An_encoder_is_fine_tuned_from_its_file_and_a_classifier_saved_to_one()
    {
        string path = At("encoder.safetensors"), saved = At("classifier.safetensors");
        using (var encoder = TestModels.Encoder(seed: 3))
            encoder.Save(path);
        var options = new FineTuneOptions { EncoderWeights = path, Epochs = 1 };
        using var classifier = Trainers.VisionTransformer("Label", "ImagePath", options).Fit(Keyed());
        Assert.AreEqual(TestModels.Size, classifier.Model.Preprocessing.Height);
        classifier.Model.Save(saved);
        using var loaded = ImageClassifier.Load(saved);
        CollectionAssert.AreEqual(TestImages.Classes, loaded.ClassNames!.ToArray());

        var missing = options with { EncoderWeights = "no.safetensors" };
        Assert.ThrowsExactly<FileNotFoundException>(() => Trainers.VisionTransformer("Label", "ImagePath", missing));
    }

    [TestMethod]
    public void Images_and_bytes_train_as_files_do()
    {
        var options = Options with { Epochs = 1, Seed = 4 };
        float[] expected = Score(Images, "ImagePath");
        var bytes = Read<PathRow>(Images).Select(row => new LabelledFile { File = File.ReadAllBytes(row.ImagePath), Label = row.Label }).ToList();
        CollectionAssert.AreEqual(expected, Score(Context.Data.LoadFromEnumerable(bytes), "File"));
        var loaded = Context.Transforms.LoadImages("Image", "", "ImagePath").Fit(Images).Transform(Images);
        CollectionAssert.AreEqual(expected, Score(loaded, "Image"));

        float[] Score(IDataView data, string column)
        {
            var keyed = Keyed(data);
            using var classifier = Trainers.VisionTransformer("Label", column, options).Fit(keyed);
            return Read<KeyPrediction>(Context.Data.TakeRows(classifier.Transform(keyed), 1))[0].Score;
        }
    }

    [TestMethod]
    public void The_columns_are_annotated_as_those_of_ml_nets_own_trainers()
    {
        var keyed = Keyed();
        using var encoder = TestModels.Encoder();
        var embedded = Context.Transforms.MaeEmbedding("Features", "ImagePath", encoder).Fit(keyed).Transform(keyed);
        var theirs = Trainers.LbfgsMaximumEntropy().Fit(embedded).Transform(embedded);
        using var classifier = Trainers.VisionTransformer("Label", "ImagePath", Options with { Epochs = 1 }).Fit(keyed);
        var ours = classifier.Transform(keyed);
        foreach (string name in new[] { "Score", "PredictedLabel" })
        {
            var (expected, found) = (theirs.Schema[name], ours.Schema[name]);
            Assert.AreEqual(expected.Type, found.Type, name);
            CollectionAssert.AreEquivalent(Describe(expected), Describe(found), name);
        }
        Assert.AreEqual(NumberDataViewType.Single, ours.Schema["Probability"].Type);

        // A second classifier over the first one's columns gets a number of its own.
        uint first = 0, second = 0;
        ours.Schema["Score"].Annotations.GetValue("ScoreColumnSetId", ref first);
        classifier.Transform(ours).Schema["Score"].Annotations.GetValue("ScoreColumnSetId", ref second);
        Assert.AreEqual(first + 1, second);

        static List<string> Describe(DataViewSchema.Column column) => [.. column.Annotations.Schema.Select(annotation =>
        {
            VBuffer<ReadOnlyMemory<char>> names = default;
            ReadOnlyMemory<char> text = default;
            string value = "";
            if (annotation.Type is VectorDataViewType)
            {
                column.Annotations.GetValue(annotation.Name, ref names);
                value = string.Join(',', names.DenseValues());
            }
            else if (annotation.Type is TextDataViewType)
            {
                column.Annotations.GetValue(annotation.Name, ref text);
                value = text.ToString();
            }
            return $"{annotation.Name}: {annotation.Type} = {value}";
        })];
    }

    [TestMethod]
    public void Several_threads_score_at_once_and_disposing_frees_the_weights()
    {
        var keyed = Keyed();
        var classifier = Trainers.VisionTransformer("Label", "ImagePath", Options with { Epochs = 1 }).Fit(keyed);
        var scored = classifier.Transform(keyed);
        var expected = Read<KeyPrediction>(scored);
        Parallel.For(0, 4, _ =>
        {
            var found = Read<KeyPrediction>(scored);
            for (int i = 0; i < Count; i++)
                Assert.AreEqual(expected[i].Probability, found[i].Probability, 1e-4f);
        });
        classifier.Dispose();
        classifier.Dispose();
        Assert.ThrowsExactly<ObjectDisposedException>(() => Read<KeyPrediction>(scored));
    }

    [TestMethod]
    public void Labels_of_other_types_than_text_come_back_as_they_were()
    {
        var rows = Read<PathRow>(Images).Select(row => new NumberedRow { ImagePath = row.ImagePath, Label = row.Label == "disc" ? 10 : 20 }).ToList();
        var data = Context.Data.LoadFromEnumerable(rows);
        using var classifier = Pipeline().Fit(data);
        var found = Read<NumberPrediction>(classifier.Transform(data));
        Assert.IsTrue(found.All(row => row.PredictedLabel is 10 or 20));
        Assert.IsGreaterThan(Count * 3 / 4, found.Zip(rows).Count(pair => pair.First.PredictedLabel == pair.Second.Label));
    }

    private sealed class LabelledFile
    {
        public byte[] File { get; set; } = [];

        public string Label { get; set; } = "";
    }

    private sealed class NumberedRow
    {
        public string ImagePath { get; set; } = "";

        public int Label { get; set; }
    }

    private sealed class NumberPrediction
    {
        public int PredictedLabel { get; set; }
    }
}
