using System.Text.Json.Nodes;
using System.Xml.Linq;
using Smae.Benchmarks;

namespace Benchmarks.Tests;

/// <summary>Every command runs, and its JSON file holds the figures that are promised. What they are is no matter here.</summary>
[TestClass]
public sealed class CommandTests
{
    [TestMethod]
    public void TrainWithoutPyTorchSaysSoAndMeasuresOurs()
    {
        (JsonNode json, string output) = BenchmarkProgram.Quick("train-mae", "--no-pytorch");
        BenchmarkProgram.HasFigures(
            json, "trainBf16ImagesPerSecond", "trainFp32ImagesPerSecond", "trainBf16OfMatmulRate", "trainFp32OfMatmulRate", "managedOverheadFraction",
            "trainStepGigaflop");
        Assert.IsNull(json["trainBf16VsPyTorchDefault"], output);
        Assert.AreEqual("none", json["machine"]!["PyTorch"]!.GetValue<string>());
        Assert.HasCount(4, json["measurements"]!["train-mae"]!.AsArray());
    }

    [TestMethod]
    public void TrainComparesMaeAndSmaeWithPyTorch()
    {
        NeedsPyTorch();
        JsonNode json = BenchmarkProgram.Quick("train").Json;
        BenchmarkProgram.HasFigures(
            json, "trainBf16VsPyTorchDefault", "trainBf16VsPyTorchTunedBf16", "trainBf16VsPyTorchTuned", "trainFp32VsPyTorchDefault",
            "trainFp32VsPyTorchTuned", "managedOverheadFraction", "smaeTrainBf16VsPyTorchDefault", "smaeTrainBf16VsPyTorchTunedBf16",
            "smaeTrainFp32VsPyTorchTuned");
        Assert.IsTrue(json["measurements"]!["train-mae"]!.AsArray().Any(side => side!["name"]!.GetValue<string>() == PyTorchPeer.Installed));
    }

    [TestMethod]
    public void EncodeComparesTorchSharpAndOnnxRuntimeWithPyTorch()
    {
        NeedsPyTorch();
        BenchmarkProgram.HasFigures(
            BenchmarkProgram.Quick("encode").Json, "encodeFp32VsPyTorchTuned", "encodeBf16VsPyTorchTunedBf16", "onnxEncodeVsPyTorchTuned",
            "onnxEncodeVsPyTorchDefault", "onnxInt8EncodeVsPyTorchTuned", "onnxEncodeVsTorchSharp");
    }

    [TestMethod]
    public void EncodeWithoutPyTorchComparesOurWays() =>
        BenchmarkProgram.HasFigures(BenchmarkProgram.Quick("encode", "--no-pytorch").Json, "onnxEncodeImagesPerSecond", "onnxInt8EncodeVsTorchSharp");

    [TestMethod]
    public void ScoringComparesWithApplyOnnxModel() =>
        BenchmarkProgram.HasFigures(
            BenchmarkProgram.Quick("scoring", "--no-pytorch").Json, "onnxEmbeddingFromMemoryVsApplyOnnxModel", "onnxEmbeddingFromFilesVsApplyOnnxModel");

    [TestMethod]
    public void FeedingTellsSpeedAndShareOfAStep() =>
        BenchmarkProgram.HasFigures(
            BenchmarkProgram.Quick("feeding", "--no-pytorch").Json, "decodeImagesPerSecond", "decodePhotosPerSecond", "feedImagesPerSecond",
            "batchFractionOfStep", "feedAugmentedImagesPerSecond", "batchFractionOfStepAugmented");

    [TestMethod]
    public void MemoryTellsAllocationTensorsAndGrowth()
    {
        JsonNode json = BenchmarkProgram.Quick("memory", "--no-pytorch").Json;
        BenchmarkProgram.HasFigures(
            json, "managedBytesPerStepFp32", "managedBytesPerStepBf16", "tensorsAliveAfterStepBf16", "mostTensorsAliveBf16", "growthSteps");
        Assert.IsNotNull(json["residentGrowthBytes"]);
        Assert.IsLessThan(json["growthSteps"]!.GetValue<double>() + 10, json["tensorsAliveGrowth"]!.GetValue<double>(), "less than a tensor a step");
    }

    [TestMethod]
    public void ScalingDrawsAChartForEachFamily()
    {
        string plot = Path.Combine(Path.GetTempPath(), $"{Path.GetRandomFileName()}.svg");
        try
        {
            JsonNode json = BenchmarkProgram.Quick("scaling", "--no-pytorch", "--plot", plot).Json;
            Assert.IsNotNull(json["scalingVisibleTokensLinearFit"]);
            Assert.HasCount(4, json["measurements"]!["scaling"]!.AsArray());
            XElement svg = XElement.Load(plot);
            Assert.HasCount(8, svg.Descendants().Where(e => e.Name.LocalName == "polyline").ToArray(), "measured and expected, four times");
        }
        finally
        {
            File.Delete(plot);
        }
    }

    [TestMethod]
    public void MicroRunsUnderBenchmarkDotNet() =>
        BenchmarkProgram.HasFigures(BenchmarkProgram.Quick("micro", "--no-pytorch").Json, "microDecodeMicroseconds", "microRandomMasksMicroseconds");

    [TestMethod]
    public void AWrongNumberIsRefused()
    {
        (int exit, string output) = BenchmarkProgram.Run("train", "--rounds", "0");
        Assert.AreEqual(1, exit);
        StringAssert.Contains(output, "--rounds is 0");
    }

    private static void NeedsPyTorch()
    {
        if (PyTorchPeer.Find(out string reason) is null) Assert.Inconclusive(reason);
    }
}
