using System.Text.Json;
using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

/// <summary>Ours computes what PixMIM in open-mmlab/mmselfsup computes: filter, filtered images, targets, loss, gradient.</summary>
[TestClass]
public class PixMimGoldenTests
{
    /// <summary>One image size and radius of a golden file.</summary>
    private sealed record Case(string name, int height, int width, double radius, int? patch_size, bool? norm_pix)
    {
        /// <summary>The radius as ours is given: a share of the shorter side.</summary>
        public double Share => radius / Math.Min(height, width);
    }

    public static IEnumerable<object[]> Files => Golden
        .Files(f => f.Metadata.ContainsKey("cases") && f.Names.Any(n => n.StartsWith("output.filter.", StringComparison.Ordinal)))
        .Select(path => new object[] { path });

    [TestMethod]
    [DynamicData(nameof(Files))]
    public void TheFilterPassesTheSameFrequencies(string path) => ForEach(path, _ => true, (file, c) =>
    {
        float[] ours = Array.ConvertAll(LowPassFilter.Circle(c.height, c.width, c.Share), passes => passes ? 1f : 0f);
        Close.To(file.Read($"output.filter.{c.name}"), tensor(ours, [c.height, c.width]), 0, c.name);
    });

    [TestMethod]
    [DynamicData(nameof(Files))]
    public void FilteredImagesAgreeToOneInAHundredThousand(string path) => ForEach(path, _ => true, (file, c) =>
    {
        using LowPassFilter filter = Filter(file, c);
        Tensor images = file.Read($"input.images.{c.name}"), before = images.clone();
        Close.To(file.Read($"output.target.{c.name}"), filter.Apply(images), 1e-5, c.name);
        Tensor channelsLast = images.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2);
        Close.To(file.Read($"output.target.{c.name}"), filter.Apply(channelsLast), 1e-5, $"{c.name}, channels last in memory");
        Assert.IsTrue(images.Equals(before), "the images given are left as they are");
    });

    [TestMethod]
    [DynamicData(nameof(Files))]
    public void TargetLossAndGradientAgree(string path) => ForEach(path, c => c.patch_size is not null && c.radius > 0, (file, c) =>
    {
        using LowPassFilter filter = Filter(file, c);
        Tensor target = Patches.FromImages(filter.Apply(file.Read($"input.images.{c.name}")), c.patch_size!.Value);
        Tensor prediction = file.Read($"input.prediction.{c.name}").requires_grad_(true);
        bool[] hidden = [.. file.Read($"input.mask.{c.name}").data<float>().ToArray().Select(m => m > 0)];
        PixelObjective pixels = Objective.Pixel(normalizePatches: c.norm_pix!.Value);
        Tensor loss = pixels.Loss(new Reconstruction(target, prediction, prediction, PatchMask.FromFlags(hidden, (int)prediction.size(1))));
        loss.backward();
        Close.To(file.Read($"output.loss.{c.name}"), loss.reshape(1), 1e-5, $"{c.name}, loss");
        Close.To(file.Read($"grad.prediction.{c.name}"), prediction.grad!, 1e-4, $"{c.name}, gradient");

        // A prediction that is the target has no loss, and the loss sees the target through normalised patches only.
        Tensor patchTarget = file.Read($"output.patch_target.{c.name}");
        Tensor perfect = pixels.Loss(new Reconstruction(target, prediction, patchTarget, PatchMask.FromFlags(hidden, (int)prediction.size(1))));
        Assert.IsLessThan(1e-9, perfect.ToDouble(), $"{c.name}, patch target");
    });

    private static LowPassFilter Filter(SafeTensorsFile file, Case c)
    {
        float[] Numbers(string key) => JsonSerializer.Deserialize<float[]>(file.Metadata[key])!;
        return new LowPassFilter(
            new ImagePreprocessing { Height = c.height, Width = c.width, Mean = Numbers("mean"), StandardDeviation = Numbers("std") }, c.Share, CPU);
    }

    private static void ForEach(string path, Func<Case, bool> wanted, Action<SafeTensorsFile, Case> check)
    {
        SafeTensorsFile file = SafeTensors.Open(path);
        Case[] cases = [.. JsonSerializer.Deserialize<Case[]>(file.Metadata["cases"])!.Where(wanted)];
        Assert.IsNotEmpty(cases);
        foreach (Case c in cases)
        {
            using DisposeScope scope = NewDisposeScope();
            check(file, c);
        }
    }
}
