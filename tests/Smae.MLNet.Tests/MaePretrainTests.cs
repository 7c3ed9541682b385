using Smae.Training;

namespace Smae.MLNet.Tests;

[TestClass]
public sealed class MaePretrainTests : IDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly TempFolder _folder = new();
    private readonly IDataView _images;

    public MaePretrainTests()
    {
        TestImages.WriteFolder(_folder, 40);
        _images = _ml.Data.LoadImageFolder(_folder.Path);
    }

    public void Dispose() => _folder.Dispose();

    [TestMethod]
    public void Pretrain_embed_classify_evaluate_and_predict()
    {
        using var embedder = _ml.Transforms.MaePretrain("Embedding", "ImagePath", TestModels.Options).Fit(_images);
        Assert.HasCount(2, embedder.Pretraining!.History);
        Assert.IsTrue(double.IsFinite(embedder.Pretraining.LastLoss));
        Assert.AreSame(embedder.Pretraining.Encoder, embedder.Encoder);
        Assert.AreEqual(("ImagePath", "Embedding"), (embedder.InputColumnName, embedder.OutputColumnName));

        var split = _ml.Data.TrainTestSplit(_images, testFraction: 0.3, seed: 2);
        var probe = _ml.Transforms.Conversion.MapValueToKey("Label")
            .Append(_ml.Transforms.MaeEmbedding("Embedding", "ImagePath", embedder.Encoder))
            .Append(_ml.MulticlassClassification.Trainers.LbfgsMaximumEntropy("Label", "Embedding"))
            .Append(_ml.Transforms.Conversion.MapKeyToValue("PredictedLabel"));
        var classifier = probe.Fit(split.TrainSet);
        var metrics = _ml.MulticlassClassification.Evaluate(classifier.Transform(split.TestSet));
        Assert.IsGreaterThan(0.6, metrics.MacroAccuracy, "The background tells the classes apart: even two epochs must see it.");

        using var engine = _ml.Model.CreatePredictionEngine<PathRow, Prediction>(classifier);
        var rows = _ml.Data.CreateEnumerable<PathRow>(_images, reuseRowObject: false).ToList();
        var expected = _ml.Data.CreateEnumerable<Prediction>(classifier.Transform(_images), reuseRowObject: false).ToList();
        for (int i = 0; i < rows.Count; i++)
        {
            var prediction = engine.Predict(rows[i]);
            Assert.AreEqual(expected[i].PredictedLabel, prediction.PredictedLabel);
            Assert.AreEqual(expected[i].Score[0], prediction.Score[0], 1e-4f);
        }
    }

    [TestMethod]
    public void The_same_seed_of_the_context_gives_the_same_embeddings_and_another_gives_others()
    {
        float[] first = Train(seed: 5), second = Train(seed: 5), other = Train(seed: 6);
        CollectionAssert.AreEqual(first, second);
        CollectionAssert.AreNotEqual(first, other);
    }

    [TestMethod]
    public void A_seed_in_the_options_counts_more_than_the_contexts()
    {
        var options = TestModels.Options with { Seed = 11 };
        CollectionAssert.AreEqual(Train(seed: 5, options), Train(seed: 6, options));
    }

    [TestMethod]
    public void It_logs_images_epochs_and_speed_and_reports_progress()
    {
        var log = new LogRecorder(_ml);
        var reports = new List<TrainingProgress>();
        var options = TestModels.Options with { Progress = new Synchronous(reports.Add) };
        _ml.Transforms.MaePretrain("Embedding", "ImagePath", options).Fit(_images).Dispose();
        string text = string.Join('\n', log.Infos);
        StringAssert.Contains(text, "40 images decoded");
        StringAssert.Contains(text, "epoch 1");
        StringAssert.Contains(text, "epoch 2");
        StringAssert.Contains(text, "images/s");
        StringAssert.Contains(text, "cpu");
        Assert.AreEqual(2, reports[^1].Epoch);
    }

    [TestMethod]
    public void Broken_images_are_left_out_or_an_error_by_option()
    {
        var log = new LogRecorder(_ml);
        string cut = TestImages.Truncate(TestImages.Write(_folder.At("disc", "cut.jpg"), 1, 64, 64));
        string text = _folder.Write("I am text", "square", "text.jpg");
        var images = _ml.Data.LoadImageFolder(_folder.Path);
        _ml.Transforms.MaePretrain("Embedding", "ImagePath", TestModels.Options).Fit(images).Dispose();
        StringAssert.Contains(string.Join('\n', log.Warnings), cut);
        StringAssert.Contains(string.Join('\n', log.Warnings), text);
        StringAssert.Contains(string.Join('\n', log.Warnings), "2 of 42 images are broken");

        var strict = _ml.Transforms.MaePretrain("Embedding", "ImagePath", TestModels.Options, new ImageReadOptions { BrokenImages = BrokenImagePolicy.Fail });
        var error = Assert.ThrowsExactly<InvalidDataException>(() => strict.Fit(images));
        StringAssert.Contains(error.Message, cut);
    }

    [TestMethod]
    public void Wrong_options_are_refused_when_the_estimator_is_made()
    {
        var indivisible = TestModels.Options with { Encoder = TestModels.Config with { ImageHeight = 18 } };
        var error = Assert.Throws<ArgumentException>(() => _ml.Transforms.MaePretrain("Embedding", "ImagePath", indivisible));
        StringAssert.Contains(error.Message, "18");
        StringAssert.Contains(error.Message, "PatchSize");
        Assert.Throws<ArgumentException>(() => _ml.Transforms.MaePretrain("Embedding", "ImagePath", epochs: 1, imageSize: 63));
        Assert.Throws<ArgumentException>(() => _ml.Transforms.MaePretrain("Embedding", "ImagePath", epochs: 0));
        foreach (double ratio in new[] { 0, 1, -0.5, double.NaN })
        {
            error = Assert.Throws<ArgumentException>(() => _ml.Transforms.MaePretrain("Embedding", "ImagePath", epochs: 1, maskRatio: ratio));
            StringAssert.Contains(error.Message, "between 0 and 1");
        }
        var channels = TestModels.Options with { Encoder = TestModels.Config with { Channels = 2 } };
        error = Assert.Throws<ArgumentException>(() => _ml.Transforms.MaePretrain("Embedding", "ImagePath", channels));
        StringAssert.Contains(error.Message, "2 channels");
        Assert.Throws<ArgumentException>(() => _ml.Transforms.MaePretrain(" "));
    }

    [TestMethod]
    public void A_small_encoder_learns_from_a_larger_one_in_an_onnx_file()
    {
        string path = _folder.At("teacher.onnx");
        using (var teacher = ImageEncoder.Create(TestModels.Config with { EmbedDim = 16, Depth = 2, PatchSize = 8 }))
            teacher.ExportOnnx(path, new OnnxExportOptions { Output = OnnxOutput.Tokens });
        var options = TestModels.Options with { Objective = Objective.DistilledFrom(path), Epochs = 8, LearningRate = 5e-3 };
        using var embedder = _ml.Transforms.MaePretrain("Embedding", "ImagePath", options).Fit(_images);
        Assert.IsLessThan(0.7 * embedder.Pretraining!.FirstLoss, embedder.Pretraining.LastLoss);
        var embedding = _ml.Data.CreateEnumerable<EmbeddingOnly>(embedder.Transform(_images), reuseRowObject: false).First().Embedding;
        Assert.HasCount(TestModels.Width, embedding);

        var wrong = options with { Objective = Objective.DistilledFrom(path) with { OutputName = "features" } };
        var error = Assert.Throws<ArgumentException>(() => _ml.Transforms.MaePretrain("Embedding", "ImagePath", wrong));
        StringAssert.Contains(error.Message, "no output 'features': it has 'tokens' [1, 5, 16]");
    }

    [TestMethod]
    public void Grey_images_train_too()
    {
        var options = TestModels.Options with { Encoder = TestModels.Config with { Channels = 1 }, Epochs = 1 };
        using var embedder = _ml.Transforms.MaePretrain("Embedding", "ImagePath", options).Fit(_images);
        Assert.AreEqual(1, embedder.Encoder.Preprocessing.Channels);
        var row = _ml.Data.CreateEnumerable<EmbeddingOnly>(embedder.Transform(_images), reuseRowObject: false).First();
        Assert.IsTrue(row.Embedding.All(float.IsFinite));
    }

    [TestMethod]
    public void A_missing_gpu_stops_training_or_falls_back_to_the_cpu_as_the_context_says()
    {
        _ml.GpuDeviceId = 99;
        var estimator = _ml.Transforms.MaePretrain("Embedding", "ImagePath", TestModels.Options with { Epochs = 1 });
        var error = Assert.ThrowsExactly<InvalidOperationException>(() => estimator.Fit(_images));
        StringAssert.Contains(error.Message, "GpuDeviceId is 99");

        _ml.FallbackToCpu = true;
        var log = new LogRecorder(_ml);
        estimator.Fit(_images).Dispose();
        StringAssert.Contains(string.Join('\n', log.Warnings), "going on with the CPU");
    }

    [TestMethod]
    public void Training_can_be_cancelled()
    {
        using var source = new CancellationTokenSource();
        var options = TestModels.Options with { Epochs = 1000, CancellationToken = source.Token, Progress = new Synchronous(_ => source.Cancel()) };
        Assert.Throws<OperationCanceledException>(() => _ml.Transforms.MaePretrain("Embedding", "ImagePath", options).Fit(_images));
    }

    [TestMethod]
    public void Disposing_the_transformer_frees_the_weights_that_pretraining_made()
    {
        var embedder = _ml.Transforms.MaePretrain("Embedding", "ImagePath", TestModels.Options with { Epochs = 1 }).Fit(_images);
        embedder.Dispose();
        embedder.Dispose();
        var embedded = embedder.Transform(_images);
        Assert.ThrowsExactly<ObjectDisposedException>(() => _ml.Data.CreateEnumerable<EmbeddingOnly>(embedded, reuseRowObject: false).First());
    }

    private float[] Train(int seed, MaePretrainOptions? options = null)
    {
        var ml = new MLContext(seed);
        using var embedder = ml.Transforms.MaePretrain("Embedding", "ImagePath", options ?? TestModels.Options).Fit(_images);
        return ml.Data.CreateEnumerable<EmbeddingOnly>(embedder.Transform(_images), reuseRowObject: false).First().Embedding;
    }

    private sealed class Synchronous(Action<TrainingProgress> report) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => report(value);
    }

    private sealed class Prediction
    {
        public string PredictedLabel { get; set; } = "";

        public float[] Score { get; set; } = [];
    }
}
