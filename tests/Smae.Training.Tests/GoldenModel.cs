using System.Globalization;
using System.Text.Json;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

/// <summary>
/// What the golden files of the later methods have in common: configurations in JSON, weights and gradients under names to be translated.
/// </summary>
internal static class GoldenModel
{
    public static int Int(this SafeTensorsFile file, string key) => int.Parse(file.Metadata[key], CultureInfo.InvariantCulture);

    public static double Number(this SafeTensorsFile file, string key) => double.Parse(file.Metadata[key], CultureInfo.InvariantCulture);

    public static JsonElement Json(this SafeTensorsFile file, string key) => JsonDocument.Parse(file.Metadata[key]).RootElement;

    public static int Int(this JsonElement element, string key) => element.GetProperty(key).GetInt32();

    /// <summary>The mask that every file draws from its noise.</summary>
    public static PatchMask Mask(this SafeTensorsFile file) => PatchMask.FromNoise(file.Read("input.noise"), file.Number("mask_ratio"));

    /// <summary>Copies weights out of a file.</summary>
    /// <param name="tensors">What is filled.</param>
    /// <param name="file">Where from.</param>
    /// <param name="nameOf">The name in the file of a tensor of ours.</param>
    public static void Fill(IEnumerable<(string Name, Tensor Tensor)> tensors, SafeTensorsFile file, Func<string, string> nameOf)
    {
        using var noGrad = no_grad();
        foreach ((string name, Tensor tensor) in tensors) tensor.copy_(file.Read(nameOf(name)));
    }

    /// <summary>
    /// Compares gradients to one in ten thousand. The bias of the keys adds the same to every score of a query, which a softmax does not see: its
    /// gradient is rounding alone, and of it only the size is looked at.
    /// </summary>
    public static void CompareGradients(IEnumerable<(string Name, Tensor Tensor)> tensors, SafeTensorsFile file, Func<string, string> nameOf)
    {
        (string Name, Tensor Tensor)[] trained = [.. tensors.Where(t => t.Tensor is Parameter { requires_grad: true })];
        Assert.IsNotEmpty(trained);
        foreach ((string name, Tensor tensor) in trained)
        {
            Tensor expected = file.Read(nameOf(name)), actual = tensor.grad!;
            if (!name.EndsWith("qkv.bias", StringComparison.Ordinal))
            {
                Close.To(expected, actual, 1e-4, name);
                continue;
            }
            Tensor[] expectedParts = expected.chunk(3), parts = actual.chunk(3);
            Close.To(expectedParts[0], parts[0], 1e-4, name + ", queries");
            Close.To(expectedParts[2], parts[2], 1e-4, name + ", values");
            Assert.IsLessThan(1e-6, parts[1].abs().max().ToDouble(), name + ", keys");
        }
    }
}
