using Smae.Training;

namespace Smae.MLNet.Tests;

/// <summary>Drawn images of two classes that are easily told apart, and trainers that need a moment for them.</summary>
public abstract class ClassificationFixture : IDisposable
{
    /// <summary>Images in the folder, half of them of each class.</summary>
    protected const int Count = 40;

    private readonly TempFolder _folder = new();

    protected ClassificationFixture()
    {
        TestImages.WriteFolder(_folder, Count);
        Images = Context.Data.LoadImageFolder(_folder.Path);
    }

    protected MLContext Context { get; } = new(seed: 1);

    protected MulticlassClassificationCatalog.MulticlassClassificationTrainers Trainers => Context.MulticlassClassification.Trainers;

    protected IDataView Images { get; }

    protected static FineTuneOptions Options { get; } = new() { Architecture = TestModels.Config, Epochs = 8, BatchSize = 8, LearningRate = 5e-3 };

    public void Dispose()
    {
        _folder.Dispose();
        GC.SuppressFinalize(this);
    }

    protected string At(params string[] parts) => _folder.At(parts);

    protected string Write(string text, params string[] parts) => _folder.Write(text, parts);

    /// <summary>Keys of the labels, training, values of the predicted keys.</summary>
    protected EstimatorChain<ITransformer> Pipeline(
        FineTuneOptions? options = null, IDataView? validationData = null, MLContext? context = null)
    {
        var ml = context ?? Context;
        return ml.Transforms.Conversion.MapValueToKey("Label")
            .Append(ml.MulticlassClassification.Trainers.VisionTransformer("Label", "ImagePath", options ?? Options, validationData))
            .Append((IEstimator<ITransformer>)ml.Transforms.Conversion.MapKeyToValue("PredictedLabel"));
    }

    /// <summary>The images with their labels as keys.</summary>
    protected IDataView Keyed(IDataView? images = null)
    {
        images ??= Images;
        return Context.Transforms.Conversion.MapValueToKey("Label").Fit(images).Transform(images);
    }

    protected List<T> Read<T>(IDataView data) where T : class, new() => [.. Context.Data.CreateEnumerable<T>(data, reuseRowObject: false)];

    protected sealed class Prediction
    {
        public string ImagePath { get; set; } = "";

        public string PredictedLabel { get; set; } = "";

        public float[] Score { get; set; } = [];

        public float Probability { get; set; }
    }

    protected sealed class KeyPrediction
    {
        [KeyType(2)]
        public uint PredictedLabel { get; set; }

        public float[] Score { get; set; } = [];

        public float Probability { get; set; }
    }

    protected sealed class Synchronous(Action<TrainingProgress> report) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => report(value);
    }
}
