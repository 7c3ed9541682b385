using Microsoft.ML;
using Microsoft.ML.Data;
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
        using var embedder = Context.Transforms.MaePretrain("Embedding", "ImagePath", TestModels.Options).Fit(Context.Data.LoadImageFolder(other.Path));
        float[] before = Embed(embedder);
        var trainer = Context.MulticlassClassification.Trainers.VisionTransformer("Label", "ImagePath", embedder.Encoder, epochs: 3);
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
        using var classifier = Context.MulticlassClassification.Trainers.VisionTransformer("Label", "ImagePath", options).Fit(Keyed());
        Assert.AreEqual(TestModels.Size, classifier.Model.Preprocessing.Height);
        classifier.Model.Save(saved);
        using var loaded = ImageClassifier.Load(saved);
        CollectionAssert.AreEqual(TestImages.Classes, loaded.ClassNames!.ToArray());

        var missing = options with { EncoderWeights = "no.safetensors" };
        Assert.ThrowsExactly<FileNotFoundException>(() => Context.MulticlassClassification.Trainers.VisionTransformer("Label", "ImagePath", missing));
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
            using var classifier = Context.MulticlassClassification.Trainers.VisionTransformer("Label", column, options).Fit(keyed);
            return Read<KeyPrediction>(Context.Data.TakeRows(classifier.Transform(keyed), 1))[0].Score;
        }
    }

    [TestMethod]
    public void The_columns_are_annotated_as_those_of_ml_nets_own_trainers()
    {
        var keyed = Keyed();
        using var encoder = TestModels.Encoder();
        var embedded = Context.Transforms.MaeEmbedding("Features", "ImagePath", encoder).Fit(keyed).Transform(keyed);
        var theirs = Context.MulticlassClassification.Trainers.LbfgsMaximumEntropy().Fit(embedded).Transform(embedded);
        using var classifier = Context.MulticlassClassification.Trainers.VisionTransformer("Label", "ImagePath", Options with { Epochs = 1 }).Fit(keyed);
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
    public void Validation_keeps_the_best_epoch_and_stops_early()
    {
        // The other way round: the better the classifier gets, the worse it does here.
        var swapped = Context.Data.LoadFromEnumerable(Read<PathRow>(Images)
            .Select(row => new PathRow { ImagePath = row.ImagePath, Label = TestImages.Classes.Single(name => name != row.Label) }).ToList());
        var log = new LogRecorder(Context);
        // Labels as text, as a trainer in a pipeline must take them: only the pipeline knows the keys.
        var chain = Pipeline(Options with { Epochs = 40, Patience = 2 }, swapped).Fit(Images);
        var training = chain.OfType<ImageClassificationTransformer<ImageClassifier>>().Single().Training;
        Assert.IsLessThan(40, training.History.Count);
        StringAssert.Contains(string.Join('\n', log.Infos), "Best on the validation data");
        var metrics = Context.MulticlassClassification.Evaluate(chain.Transform(swapped));
        Assert.AreEqual(training.Best!.Validation!.Loss, metrics.LogLoss, 1e-3, "The best epoch's weights score.");
        Assert.AreNotEqual(training.History[^1].Validation!.Loss, metrics.LogLoss, 1e-3);
        chain.Dispose();
    }

    [TestMethod]
    public void Validation_keys_in_another_order_are_told_by_their_values()
    {
        var trainer = Context.MulticlassClassification.Trainers.VisionTransformer("Label", "ImagePath", Options with { Epochs = 6, Seed = 1 });
        var keyed = Keyed();
        var reversed = Keyed(Context.Data.LoadFromEnumerable(Read<PathRow>(Images).AsEnumerable().Reverse().ToList()));
        using var same = trainer.Fit(keyed, keyed);
        using var other = trainer.Fit(keyed, reversed);
        Assert.AreEqual(same.Training.Best!.Validation!.Top1, other.Training.Best!.Validation!.Top1);
        Assert.IsGreaterThan(0.8, other.Training.Best.Validation.Top1);
    }

    [TestMethod]
    public void Rows_without_a_label_and_broken_images_are_reported_and_left_out()
    {
        var log = new LogRecorder(Context);
        var rows = Read<PathRow>(Images);
        rows.Insert(3, new PathRow { ImagePath = rows[0].ImagePath, Label = "" });
        rows.Insert(9, new PathRow { ImagePath = TestImages.Truncate(TestImages.Write(At("disc", "cut.jpg"), 1, 64, 64)), Label = "disc" });
        var keyed = Keyed(Context.Data.LoadFromEnumerable(rows));
        var options = Options with { Epochs = 1, Seed = 4 };
        using var classifier = Context.MulticlassClassification.Trainers.VisionTransformer("Label", "ImagePath", options).Fit(keyed);
        string warnings = string.Join('\n', log.Warnings);
        StringAssert.Contains(warnings, "1 rows of the training data have no label in column 'Label'");
        StringAssert.Contains(warnings, "cut.jpg");
        StringAssert.Contains(string.Join('\n', log.Infos), $"Training on {Count} images of 2 classes");
        using var clean = Context.MulticlassClassification.Trainers.VisionTransformer("Label", "ImagePath", options).Fit(Keyed());
        CollectionAssert.AreEqual(Scores(clean, keyed), Scores(classifier, keyed), "Labels stay in step with the images.");

        var broken = Read<KeyPrediction>(classifier.Transform(keyed))[9];
        Assert.AreEqual(0u, broken.PredictedLabel);
        Assert.IsTrue(broken.Score.All(float.IsNaN));
        Assert.IsTrue(float.IsNaN(broken.Probability));

        var strict = Context.MulticlassClassification.Trainers.VisionTransformer("Label", "ImagePath", options with { BrokenImages = BrokenImagePolicy.Fail });
        StringAssert.Contains(Assert.ThrowsExactly<InvalidDataException>(() => strict.Fit(keyed)).Message, "cut.jpg");

        float[] Scores(ImageClassificationTransformer<ImageClassifier> of, IDataView data) => Read<KeyPrediction>(of.Transform(data))[0].Score;
    }

    [TestMethod]
    public void The_seed_of_the_context_repeats_a_run_and_other_contexts_do_not_disturb_it()
    {
        var options = Options with { Epochs = 2 };
        float[] alone = Train(5);
        float[][] together = new float[2][];
        var threads = new[] { (5, 0), (6, 1) }.Select(work => new Thread(() => together[work.Item2] = Train(work.Item1))).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        CollectionAssert.AreEqual(alone, together[0]);
        CollectionAssert.AreNotEqual(alone, together[1]);

        float[] Train(int seed)
        {
            var ml = new MLContext(seed);
            using var classifier = Pipeline(options, context: ml).Fit(Images);
            return ml.Data.CreateEnumerable<Prediction>(classifier.Transform(Images), reuseRowObject: false).First().Score;
        }
    }

    [TestMethod]
    public void Several_threads_score_at_once_and_disposing_frees_the_weights()
    {
        var keyed = Keyed();
        var classifier = Context.MulticlassClassification.Trainers.VisionTransformer("Label", "ImagePath", Options with { Epochs = 1 }).Fit(keyed);
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
    public void Progress_is_reported_and_training_can_be_cancelled()
    {
        using var source = new CancellationTokenSource();
        var reports = new List<TrainingProgress>();
        var options = Options with { Epochs = 1000, CancellationToken = source.Token, Progress = new Synchronous(report =>
        {
            reports.Add(report);
            source.Cancel();
        }) };
        Assert.Throws<OperationCanceledException>(() => Pipeline(options).Fit(Images));
        Assert.AreEqual(1000, reports[0].Epochs);
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
