using Smae.Training;

namespace Smae.MLNet.Tests;

/// <summary>What a trainer does with validation data, rows that it cannot use, seeds, checkpoints and cancellation.</summary>
[TestClass]
public sealed class TrainerRunTests : ClassificationFixture
{
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
        var trainer = Trainers.VisionTransformer("Label", "ImagePath", Options with { Epochs = 6, Seed = 1 });
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
        using var classifier = Trainers.VisionTransformer("Label", "ImagePath", options).Fit(keyed);
        string warnings = string.Join('\n', log.Warnings);
        StringAssert.Contains(warnings, "1 rows of the training data have no label in column 'Label'");
        StringAssert.Contains(warnings, "cut.jpg");
        StringAssert.Contains(string.Join('\n', log.Infos), $"Training on {Count} images, of 2 classes");
        using var clean = Trainers.VisionTransformer("Label", "ImagePath", options).Fit(Keyed());
        CollectionAssert.AreEqual(Scores(clean, keyed), Scores(classifier, keyed), "Labels stay in step with the images.");

        var broken = Read<KeyPrediction>(classifier.Transform(keyed))[9];
        Assert.AreEqual(0u, broken.PredictedLabel);
        Assert.IsTrue(broken.Score.All(float.IsNaN));
        Assert.IsTrue(float.IsNaN(broken.Probability));

        var strict = Trainers.VisionTransformer("Label", "ImagePath", options, reading: new ImageReadOptions { BrokenImages = BrokenImagePolicy.Fail });
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
    public void A_run_with_checkpoints_goes_on_where_it_was_stopped()
    {
        using var source = new CancellationTokenSource();
        var options = Options with { Epochs = 4, Seed = 3, Checkpoints = new CheckpointOptions { Directory = At("checkpoints", "run") } };
        using var whole = Pipeline(options with { Checkpoints = null }).Fit(Images);
        var stopped = options with
        {
            CancellationToken = source.Token,
            Progress = new Synchronous(report =>
            {
                if (report is { Epoch: 2, EpochEnded: true })
                    source.Cancel();
            }),
        };
        Assert.Throws<OperationCanceledException>(() => Pipeline(stopped).Fit(Images));
        var steps = new List<long>();
        using var resumed = Pipeline(options with { Progress = new Synchronous(report => steps.Add(report.Step)) }).Fit(Images);
        Assert.IsGreaterThan(5, steps[0], "Epochs of five steps: the first two are not done again.");
        CollectionAssert.AreEqual(Scores(whole), Scores(resumed));

        float[] Scores(ITransformer of) => [.. Read<Prediction>(of.Transform(Images)).SelectMany(row => row.Score)];
    }
}
