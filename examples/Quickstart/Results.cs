using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Smae.Training;

namespace Quickstart;

/// <summary>What a run measured, as it stands in <c>metrics.json</c>.</summary>
internal sealed record Results
{
    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    public required string Dataset { get; init; }

    /// <summary>Images pretrained on, without labels.</summary>
    public required long TrainImages { get; init; }

    /// <summary>Those of them whose labels the probe and the classifiers are trained with.</summary>
    public required long LabelledImages { get; init; }

    public required long ValidationImages { get; init; }

    public required int Classes { get; init; }

    public required int Epochs { get; init; }

    public required int FineTuneEpochs { get; init; }

    public required int Seed { get; init; }

    /// <summary>The whole run.</summary>
    public required double Seconds { get; init; }

    /// <summary>Images pretrained on a second.</summary>
    public required double ImagesPerSecond { get; init; }

    public required double FirstLoss { get; init; }

    public required double LastLoss { get; init; }

    /// <summary>Share of validation images that a linear classifier on the pretrained encoder's embeddings gets right.</summary>
    public required double ProbeAccuracyPretrained { get; init; }

    /// <summary>The same with an encoder of random weights.</summary>
    public required double ProbeAccuracyRandom { get; init; }

    /// <summary>Share of validation images that the fine-tuned encoder gets right.</summary>
    public required double FineTuneAccuracy { get; init; }

    /// <summary>The same trained from random weights, on the same images, with as many steps and the same settings.</summary>
    public required double ScratchAccuracy { get; init; }

    /// <summary>The largest difference between a number that ONNX Runtime gives and TorchSharp's, over encoder and classifier.</summary>
    public required double OnnxMaxAbsDifference { get; init; }

    /// <summary>The largest difference between a probability in this process and one that an application without Smae gets from the saved model.</summary>
    public required double SavedModelMaxAbsDifference { get; init; }

    public void Write(string path) => AtomicFile.Write(path, file => JsonSerializer.Serialize(file, this, s_json));

    /// <summary>The start of a page for people: what was measured, without curves and pictures.</summary>
    public HtmlReport StartReport(double fineTuneImagesPerSecond, LabelFreeEvaluation? heldOut) =>
        new HtmlReport($"Smae on {Dataset}").AddFacts("Results",
            ("Images", $"{TrainImages} for training, {LabelledImages} of them with labels, {ValidationImages} for validation, {Classes} classes"),
            ("Linear probe", $"{Percent(ProbeAccuracyPretrained)} pretrained, {Percent(ProbeAccuracyRandom)} with random weights"),
            ("Pretraining, without labels", heldOut?.ToString() ?? "nothing was held out"),
            ("Classifier", $"{Percent(FineTuneAccuracy)} fine-tuned, {Percent(ScratchAccuracy)} from scratch"),
            ("Speed", $"{ImagesPerSecond:F0} images/s pretraining, {fineTuneImagesPerSecond:F0} images/s fine-tuning"),
            ("Peak memory", $"{Process.GetCurrentProcess().PeakWorkingSet64 >> 20} MiB"),
            ("Time", $"{Seconds:F0} s in all"),
            ("ONNX Runtime against TorchSharp", $"largest difference {Small(OnnxMaxAbsDifference)}"),
            ("Saved model without Smae", $"largest difference {Small(SavedModelMaxAbsDifference)}"));

    /// <summary>A summary for the console.</summary>
    public override string ToString() =>
        $"""
        {TrainImages} images, {Epochs} epochs, {ImagesPerSecond:F0} images/s, loss {FirstLoss:F4} -> {LastLoss:F4}
        on {ValidationImages} validation images of {Classes} classes, learned from {LabelledImages} labels:
                         pretrained   random weights
          linear probe   {Percent(ProbeAccuracyPretrained),10}   {Percent(ProbeAccuracyRandom),14}
          trained fully  {Percent(FineTuneAccuracy),10}   {Percent(ScratchAccuracy),14}
        largest difference from TorchSharp: {Small(OnnxMaxAbsDifference)} in the ONNX files, {Small(SavedModelMaxAbsDifference)} in an application without Smae
        """;

    private static string Percent(double share) => share.ToString("P1", CultureInfo.InvariantCulture);

    private static string Small(double value) => value.ToString("G2", CultureInfo.InvariantCulture);
}
