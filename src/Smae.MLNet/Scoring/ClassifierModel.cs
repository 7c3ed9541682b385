using Smae.Export;
using Smae.Training;

namespace Smae.MLNet;

/// <summary>A vision transformer that tells classes apart: its numbers are the probabilities of the classes.</summary>
internal sealed class ClassifierModel(ImageClassifier classifier) : ISavableModel, IDisposable
{
    public ImagePreprocessing Preprocessing => classifier.Preprocessing;

    public int OutputLength => classifier.Classes;

    public void Run(ReadOnlySpan<byte> images, int count, Span<float> outputs) => classifier.Classify(images, count, outputs);

    public SavedOutput WriteOnnx(string path) => new(classifier.ExportOnnx(path).Info.Outputs.Single(output => output.Name == "logits"));

    public void Dispose() => classifier.Dispose();
}
