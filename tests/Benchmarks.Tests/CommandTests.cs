using System.Text.Json.Nodes;
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
    public void TrainComparesWithPlainTorchSharpAsItIsAndTuned() =>
        BenchmarkProgram.HasFigures(
            s_train.Value, "trainBf16VsTorchSharp", "trainFp32VsTorchSharp", "trainBf16VsTorchSharpTuned", "trainFp32VsTorchSharpTuned");

    [TestMethod]
    public void EncodeTellsSpeedOfAllOurWays() =>
        BenchmarkProgram.HasFigures(
            s_encode.Value, "encodeFp32ImagesPerSecond", "encodeBf16ImagesPerSecond", "encodeBf16VsOnnx", "onnxEncodeVsTorchSharp",
            "onnxInt8EncodeVsTorchSharp", "onnxInt8EncodeVsOnnx");

    [TestMethod]
    public void PyTorchJoinsWhereItIs()
    {
        bool joins = PyTorchPeer.Find(_ => { }) is not null;
        foreach ((JsonNode json, string figure) in (ReadOnlySpan<(JsonNode, string)>)
                 [
                     (s_train.Value, "trainBf16VsPyTorchDefault"), (s_train.Value, "trainBf16VsPyTorchTunedBf16"), (s_train.Value, "trainFp32VsPyTorchDefault"),
                     (s_train.Value, "smaeTrainBf16VsPyTorchTunedBf16"), (s_encode.Value, "encodeBf16VsPyTorchTunedBf16"), (s_encode.Value, "onnxEncodeVsPyTorchDefault"),
                 ])
            Assert.AreEqual(joins, json[figure] is not null, figure);
    }

    [TestMethod]
    public void ScoringComparesWithApplyOnnxModel()
    {
        JsonNode json = BenchmarkProgram.Quick("scoring").Json;
        BenchmarkProgram.HasFigures(
            json, "onnxEmbeddingFromMemoryVsApplyOnnxModel", "onnxEmbeddingFromFilesVsApplyOnnxModel", "onnxEmbeddingFromMemoryVsOnnxRuntime");
        Assert.AreEqual("none", json["machine"]!["PyTorch"]!.GetValue<string>());
    }

    [TestMethod]
    public void DistributedComparesRanksWithOneProcess()
    {
        if (!(Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, "mpirun.mpich"))))
            Assert.Inconclusive("mpirun.mpich is not there: apt-get install mpich.");
        BenchmarkProgram.HasFigures(BenchmarkProgram.Quick("distributed").Json, "ranksVsOneProcess", "allReduceBytesPerSecond");
    }

    [TestMethod]
    public void FeedingTellsSpeedAndShareOfAStep() =>
        BenchmarkProgram.HasFigures(
            BenchmarkProgram.Quick("feeding").Json, "decodeImagesPerSecond", "decodePhotosPerSecond", "feedImagesPerSecond",
            "batchFractionOfStep", "feedAugmentedImagesPerSecond", "batchFractionOfStepAugmented");

    [TestMethod]
    public void DecodeComparesWithSkiaSharpAndMlNetOnOneThreadAndAll()
    {
        JsonNode json = BenchmarkProgram.Quick("decode").Json;
        BenchmarkProgram.HasFigures(
            json, "decodeImagesPerSecond", "decodeVsSkiaFull", "decodeVsMlNet", "decodeOneThreadVsSkiaFull", "decodeOneThreadVsMlNet", "decodeKilobytesPerFile");
        Assert.IsLessThan(2, json["decodeMeanDifference"]!.GetValue<double>(), "levels of the full decode's pixels");
    }

    [TestMethod]
    public void StartupTellsTheFirstEmbeddingOfAColdProcessAndLoadsNoLibtorch()
    {
        JsonNode json = BenchmarkProgram.Quick("startup").Json;
        BenchmarkProgram.HasFigures(json, "startupOnnxEmbeddingSeconds", "startupOnnxImageModelSeconds", "startupOnnxRuntimeSeconds", "startupDotNetSeconds");
        Assert.AreEqual(0, json["startupLoadsLibtorch"]!.GetValue<double>());
    }

    [TestMethod]
    public void FineTuneTellsTheShareOfTheMachine() =>
        BenchmarkProgram.HasFigures(
            BenchmarkProgram.Quick("fine-tune").Json, "fineTuneBf16OfMatmulRate", "fineTuneFp32OfMatmulRate", "supervisedBf16OfMatmulRate",
            "fineTuneBf16ImagesPerSecond");

    [TestMethod]
    public void MemoryTellsAllocationTensorsAndGrowth()
    {
        JsonNode json = BenchmarkProgram.Quick("memory").Json;
        BenchmarkProgram.HasFigures(
            json, "managedBytesPerStepFp32", "managedBytesPerStepBf16", "tensorsAliveAfterStepBf16", "mostTensorsAliveBf16", "growthSteps");
        Assert.IsNotNull(json["residentGrowthBytes"]);
        Assert.IsLessThan(json["growthSteps"]!.GetValue<double>() + 10, json["tensorsAliveGrowth"]!.GetValue<double>(), "less than a tensor a step");
    }

    [TestMethod]
    public void ScalingMeasuresFourFamilies()
    {
        JsonNode json = BenchmarkProgram.Quick("scaling").Json;
        Assert.IsNotNull(json["scalingVisibleTokensLinearFit"]);
        Assert.HasCount(4, json["measurements"]!["scaling"]!.AsArray());
    }

    [TestMethod]
    public void AWrongNumberIsRefused()
    {
        (int exit, string output) = BenchmarkProgram.Run("train", "--rounds", "0");
        Assert.AreEqual(1, exit);
        StringAssert.Contains(output, "--rounds is '0'");
        (exit, output) = BenchmarkProgram.Run("encode", "--model", "vit-huge");
        Assert.AreEqual(1, exit);
        StringAssert.Contains(output, "vit-small-224");
    }
}
