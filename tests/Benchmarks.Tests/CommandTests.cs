using System.Text.Json.Nodes;
using System.Xml.Linq;
using Smae.Benchmarks;

namespace Benchmarks.Tests;

/// <summary>Every command runs, and its JSON file holds the figures that are promised. What they are is no matter here.</summary>
[TestClass]
public sealed class CommandTests
{
    // With PyTorch if it is there: one run serves the tests of our figures and those of the comparison.
    private static readonly Lazy<JsonNode> s_train = new(() => BenchmarkProgram.Quick("train").Json), s_encode = new(() => BenchmarkProgram.Quick("encode").Json);

    [TestMethod]
    public void TrainTellsSpeedShareOfTheMachineAndOverhead() =>
        BenchmarkProgram.HasFigures(
            s_train.Value, "trainBf16ImagesPerSecond", "trainFp32ImagesPerSecond", "trainBf16OfMatmulRate", "trainFp32OfMatmulRate",
            "managedOverheadFraction", "managedOverheadFractionFp32", "hollowStepBf16Fraction", "trainStepGigaflop", "smaeTrainBf16ImagesPerSecond");

    [TestMethod]
    public void TrainComparesMaeAndSmaeWithPyTorch()
    {
        NeedsPyTorch();
        BenchmarkProgram.HasFigures(
            s_train.Value, "trainBf16VsPyTorchDefault", "trainBf16VsPyTorchTunedBf16", "trainBf16VsPyTorchTuned", "trainFp32VsPyTorchDefault",
            "trainFp32VsPyTorchTuned", "smaeTrainBf16VsPyTorchDefault", "smaeTrainBf16VsPyTorchTunedBf16", "smaeTrainFp32VsPyTorchTuned");
        JsonArray sides = s_train.Value["measurements"]!["train-mae"]!.AsArray();
        Assert.IsTrue(sides.Any(side => side!["name"]!.GetValue<string>() == PyTorchPeer.Installed));
    }

    [TestMethod]
    public void EncodeTellsSpeedOfAllOurWays() =>
        BenchmarkProgram.HasFigures(
            s_encode.Value, "encodeFp32ImagesPerSecond", "encodeBf16ImagesPerSecond", "onnxEncodeVsTorchSharp", "onnxInt8EncodeVsTorchSharp");

    [TestMethod]
    public void EncodeComparesTorchSharpAndOnnxRuntimeWithPyTorch()
    {
        NeedsPyTorch();
        BenchmarkProgram.HasFigures(
            s_encode.Value, "encodeFp32VsPyTorchTuned", "encodeBf16VsPyTorchTunedBf16", "onnxEncodeVsPyTorchTuned", "onnxEncodeVsPyTorchDefault",
            "onnxInt8EncodeVsPyTorchTuned");
    }

    [TestMethod]
    public void ScoringComparesWithApplyOnnxModel()
    {
        JsonNode json = BenchmarkProgram.Quick("scoring", "--no-pytorch").Json;
        BenchmarkProgram.HasFigures(json, "onnxEmbeddingFromMemoryVsApplyOnnxModel", "onnxEmbeddingFromFilesVsApplyOnnxModel");
        Assert.AreEqual("none", json["machine"]!["PyTorch"]!.GetValue<string>());
    }

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
