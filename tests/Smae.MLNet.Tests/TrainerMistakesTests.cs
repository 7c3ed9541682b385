using Smae.Training;

namespace Smae.MLNet.Tests;

/// <summary>Ways to hold a trainer wrong: each is met with an error that says what to do, before time is spent on it.</summary>
[TestClass]
public sealed class TrainerMistakesTests : ClassificationFixture
{
    [TestMethod]
    public void The_label_is_no_key()
    {
        var trainer = Trainers.VisionTransformer("Label", "ImagePath", Options);
        var error = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => trainer.Fit(Images));
        StringAssert.Contains(error.Message, "Schema mismatch for label column 'Label': expected Key<UInt32>, got String");
        StringAssert.Contains(error.Message, "MapValueToKey(\"Label\")");
        var hashed = Context.Data.LoadFromEnumerable(new[] { new HashedLabel() });
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => trainer.Fit(hashed)).Message, "MapValueToKey");
        // In a chain it is told before anything is trained.
        var chain = Context.Transforms.CopyColumns("Copy", "ImagePath").Append(trainer);
        error = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => chain.Fit(Images));
        StringAssert.Contains(error.Message, "MapValueToKey");
    }

    [TestMethod]
    public void Columns_are_missing_or_hold_something_else()
    {
        var keyed = Keyed();
        var error = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Trainers.VisionTransformer(options: Options).Fit(keyed));
        StringAssert.Contains(error.Message, "Could not find feature column 'Features'");
        StringAssert.Contains(error.Message, "'ImagePath'");
        error = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Trainers.VisionTransformer("Class", "ImagePath", Options).Fit(keyed));
        StringAssert.Contains(error.Message, "Could not find label column 'Class'");
        error = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Trainers.VisionTransformer("Label", "Label", Options).Fit(keyed));
        StringAssert.Contains(error.Message, "Schema mismatch for feature column 'Label': expected Image, Text");
        Assert.Throws<ArgumentException>(() => Trainers.VisionTransformer(" ", "ImagePath"));
    }

    [TestMethod]
    public void There_is_one_class_only()
    {
        var one = Keyed(Context.Data.LoadFromEnumerable(Read<PathRow>(Images).Where(row => row.Label == "disc").ToList()));
        var error = Assert.ThrowsExactly<ArgumentException>(() => Trainers.VisionTransformer("Label", "ImagePath", Options).Fit(one));
        StringAssert.Contains(error.Message, "1 class ('disc')");
        var none = Keyed(Context.Data.LoadFromEnumerable<PathRow>([]));
        error = Assert.ThrowsExactly<ArgumentException>(() => Trainers.VisionTransformer("Label", "ImagePath", Options).Fit(none));
        StringAssert.Contains(error.Message, "1 class, as data without rows has");
    }

    [TestMethod]
    public void A_class_has_no_image()
    {
        var mapping = Context.Transforms.Conversion.MapValueToKey("Label").Fit(Images);
        var discs = mapping.Transform(Context.Data.LoadFromEnumerable(Read<PathRow>(Images).Where(row => row.Label == "disc").ToList()));
        var error = Assert.Throws<ArgumentException>(() => Trainers.VisionTransformer("Label", "ImagePath", Options).Fit(discs));
        StringAssert.Contains(error.Message, "1 of 2 classes have no image to train on");
    }

    [TestMethod]
    [DataRow("broken")]
    [DataRow("missing")]
    [DataRow("in no training row")]
    public void Of_three_classes_one_has_no_image(string how)
    {
        string path = how == "broken" ? Write("no image", "owl", "1.png") : At("owl", "2.png");
        List<PathRow> rows = [.. Read<PathRow>(Images), new PathRow { ImagePath = path, Label = "owl" }];
        var mapping = Context.Transforms.Conversion.MapValueToKey("Label").Fit(Context.Data.LoadFromEnumerable(rows));
        var training = mapping.Transform(Context.Data.LoadFromEnumerable(how == "in no training row" ? rows[..^1] : rows));
        var log = new LogRecorder(Context);
        using var encoder = TestModels.Encoder();
        IEstimator<ITransformer>[] trainers =
        [
            Trainers.VisionTransformer("Label", "ImagePath", Options), Trainers.LinearProbe("Label", "ImagePath", encoder, new LinearProbeOptions { Epochs = 2 }),
            Trainers.SqueezeNet("Label", "ImagePath", imageSize: 24, epochs: 1),
        ];
        foreach (var trainer in trainers)
        {
            var model = trainer.Fit(training);
            Assert.AreEqual(1, log.Warnings.Count(w => w.Contains("1 of 3 classes have no image to train on and are not learned: 'owl'")),
                string.Join('\n', log.Warnings));
            Assert.HasCount(3, Read<KeyPrediction>(model.Transform(training))[0].Score);
            if (trainer == trainers[0])
            {
                var metrics = Context.MulticlassClassification.Evaluate(model.Transform(mapping.Transform(Images)));
                Assert.IsGreaterThan(0.9, metrics.MicroAccuracy);
                Assert.AreEqual(
                    metrics.MicroAccuracy,
                    Context.MulticlassClassification.Evaluate(model.Transform(mapping.Transform(Context.Data.LoadFromEnumerable(rows)))).MicroAccuracy, 1e-9,
                    "an image that cannot be read does not count");
            }
            (model as IDisposable)?.Dispose();
            log = new LogRecorder(Context);
        }
    }

    [TestMethod]
    public void A_class_of_the_validation_data_that_training_does_not_have_is_named()
    {
        var rows = Read<PathRow>(Images);
        var validation = Context.Data.LoadFromEnumerable([.. rows, new PathRow { ImagePath = rows[0].ImagePath, Label = "owl" }]);
        var log = new LogRecorder(Context);
        foreach (var data in new[] { validation, Keyed(validation) })
        {
            Trainers.VisionTransformer("Label", "ImagePath", Options with { Epochs = 1 }, data).Fit(Keyed()).Dispose();
            StringAssert.Contains(log.Warnings[^1], "1 rows of the validation data have no label in column 'Label', or one that the training data does not have ('owl')");
        }
        Assert.HasCount(2, log.Warnings);
    }

    [TestMethod]
    public void What_does_not_fit_the_encoder_is_told_before_images_are_read()
    {
        var unread = Keyed(Context.Data.LoadFromEnumerable(Read<PathRow>(Images).Select(row => new PathRow { ImagePath = "no such file", Label = row.Label }).ToList()));
        using var colour = TestModels.Encoder();
        string weights = At("encoder.safetensors");
        colour.Save(weights);
        var grey = TestModels.Config with { Channels = 1 };
        foreach (var options in (FineTuneOptions[])[new() { Encoder = colour, Architecture = grey }, new() { EncoderWeights = weights, Architecture = grey }])
            StringAssert.Contains(
                Assert.Throws<Exception>(() => Trainers.VisionTransformer("Label", "ImagePath", options).Fit(unread)).Message, "patch_embed.proj.weight");
        Write("no weights", "encoder.safetensors");
        Assert.ThrowsExactly<InvalidDataException>(
            () => Trainers.VisionTransformer("Label", "ImagePath", new FineTuneOptions { EncoderWeights = weights }).Fit(unread));
        using var mean = ImageEncoder.Create(TestModels.Config with { ClassToken = ClassToken.None });
        StringAssert.Contains(
            Assert.ThrowsExactly<ArgumentException>(
                () => Trainers.LinearProbe("Label", "ImagePath", mean, new LinearProbeOptions { Pooling = Pooling.ClassToken })).Message, "no class token");
    }

    [TestMethod]
    public void The_encoder_takes_images_that_cannot_be_had()
    {
        var options = Options with { Architecture = TestModels.Config with { Channels = 2 } };
        var error = Assert.Throws<ArgumentException>(() => Trainers.VisionTransformer("Label", "ImagePath", options));
        StringAssert.Contains(error.Message, "2 channels");
        using var grey = ImageEncoder.Create(TestModels.Config with { Channels = 1 });
        error = Assert.Throws<ArgumentException>(
            () => Trainers.VisionTransformer("Label", "ImagePath", Options with { Encoder = grey }).Fit(Keyed()));
        StringAssert.Contains(error.Message, "patch_embed.proj.weight");
    }

    [TestMethod]
    public void The_encoder_has_been_disposed()
    {
        var encoder = TestModels.Encoder();
        encoder.Dispose();
        var trainer = Trainers.VisionTransformer("Label", "ImagePath", encoder, epochs: 1);
        Assert.ThrowsExactly<ObjectDisposedException>(() => trainer.Fit(Keyed()));
        var probe = Trainers.LinearProbe("Label", "ImagePath", encoder, new LinearProbeOptions { Epochs = 1 });
        Assert.ThrowsExactly<ObjectDisposedException>(() => probe.Fit(Keyed()));
    }

    [TestMethod]
    public void The_gpu_is_missing()
    {
        Context.GpuDeviceId = 99;
        var trainer = Trainers.VisionTransformer("Label", "ImagePath", Options with { Epochs = 1 });
        var error = Assert.ThrowsExactly<InvalidOperationException>(() => trainer.Fit(Keyed()));
        StringAssert.Contains(error.Message, "FallbackToCpu");
        Context.FallbackToCpu = true;
        var log = new LogRecorder(Context);
        trainer.Fit(Keyed()).Dispose();
        StringAssert.Contains(string.Join('\n', log.Warnings), "going on with the CPU");
    }

    [TestMethod]
    public void Options_are_out_of_range_and_all_are_named()
    {
        var wrong = Options with { Epochs = 0, LearningRate = -1, LabelSmoothing = 2, LayerDecay = 0, Patience = 0 };
        var error = Assert.Throws<ArgumentException>(() => Trainers.VisionTransformer("Label", "ImagePath", wrong));
        foreach (string part in new[] { "Epochs is 0", "LearningRate is -1", "LabelSmoothing is 2", "LayerDecay is 0", "Patience is 0" })
            StringAssert.Contains(error.Message, part);
        error = Assert.Throws<ArgumentException>(() => Trainers.SqueezeNet("Label", "ImagePath", imageSize: 16, epochs: 0));
        StringAssert.Contains(error.Message, "at least 21 pixels");
        StringAssert.Contains(error.Message, "Epochs is 0");
        using var encoder = TestModels.Encoder();
        error = Assert.Throws<ArgumentException>(
            () => Trainers.LinearProbe("Label", "ImagePath", encoder, new LinearProbeOptions { Epochs = 0, Mixing = new Mixup(0.5) }));
        StringAssert.Contains(error.Message, "Epochs is 0");
        StringAssert.Contains(error.Message, "Mixing is set");
    }

    [TestMethod]
    public void Class_names_that_do_not_fit_the_labels()
    {
        var trainer = Trainers.VisionTransformer("Label", "ImagePath", Options with { ClassNames = ["a", "b", "c"] });
        var error = Assert.Throws<ArgumentException>(() => trainer.Fit(Keyed()));
        StringAssert.Contains(error.Message, "3 names");
        StringAssert.Contains(error.Message, "2 classes");
    }

    [TestMethod]
    public void Early_stopping_without_validation_data()
    {
        var trainer = Trainers.VisionTransformer("Label", "ImagePath", Options with { Patience = 2 });
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => trainer.Fit(Keyed())).Message, "validationData");
    }

    [TestMethod]
    public void Validation_data_without_labels_images_or_known_classes()
    {
        var trainer = Trainers.VisionTransformer("Label", "ImagePath", Options);
        var keyed = Keyed();
        var error = Assert.ThrowsExactly<ArgumentOutOfRangeException>(
            () => trainer.Fit(keyed, Context.Data.LoadFromEnumerable(new[] { new PathOnly() })));
        Assert.AreEqual("validationData", error.ParamName);
        StringAssert.Contains(error.Message, "Could not find label column 'Label'");
        error = Assert.ThrowsExactly<ArgumentOutOfRangeException>(
            () => trainer.Fit(keyed, Context.Data.LoadFromEnumerable(new[] { new NumberLabel() })));
        StringAssert.Contains(error.Message, "expected Key<UInt32> or the labels as Text, got Single");
        var unknown = Context.Data.LoadFromEnumerable(new[] { new PathRow { ImagePath = Read<PathRow>(Images)[0].ImagePath, Label = "cat" } });
        StringAssert.Contains(
            Assert.ThrowsExactly<InvalidDataException>(() => trainer.Fit(keyed, unknown)).Message, "validation data has a label");
    }

    [TestMethod]
    public void There_are_no_rows_no_labels_or_no_good_images()
    {
        var trainer = Trainers.VisionTransformer("Label", "ImagePath", Options);
        var mapping = Context.Transforms.Conversion.MapValueToKey("Label").Fit(Images);
        var error = Assert.ThrowsExactly<InvalidDataException>(() => trainer.Fit(mapping.Transform(Rows())));
        StringAssert.Contains(error.Message, "Column 'ImagePath' of the training data has no rows");
        Assert.ThrowsExactly<InvalidDataException>(() => trainer.Fit(mapping.Transform(Rows(new PathRow { ImagePath = "x", Label = "unknown" }))));
        var broken = mapping.Transform(Rows(new PathRow { ImagePath = "no such file", Label = "disc" }));
        error = Assert.ThrowsExactly<InvalidDataException>(() => trainer.Fit(broken));
        StringAssert.Contains(error.Message, "None of the 1 images of column 'ImagePath' of the training data could be read");
        StringAssert.Contains(error.Message, "no such file");

        IDataView Rows(params PathRow[] rows) => Context.Data.LoadFromEnumerable(rows);
    }

    private sealed class PathOnly
    {
        public string ImagePath { get; set; } = "";
    }

    private sealed class HashedLabel
    {
        public string ImagePath { get; set; } = "";

        [KeyType(int.MaxValue)]
        public uint Label { get; set; }
    }

    private sealed class NumberLabel
    {
        public string ImagePath { get; set; } = "";

        public float Label { get; set; }
    }
}
