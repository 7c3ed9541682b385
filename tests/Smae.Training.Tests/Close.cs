using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

/// <summary>Comparison of tensors as the golden files are meant: the largest difference counts.</summary>
internal static class Close
{
    /// <summary>The difference may be a share of the largest expected number.</summary>
    public static void To(Tensor expected, Tensor actual, double relative, string what)
    {
        using DisposeScope scope = NewDisposeScope();
        using var noGrad = no_grad();
        Within(expected, actual, relative * expected.to_type(ScalarType.Float64).abs().max().ToDouble(), what);
    }

    /// <summary>The difference may be so large.</summary>
    public static void Within(Tensor expected, Tensor actual, double absolute, string what)
    {
        CollectionAssert.AreEqual(expected.shape, actual.shape, $"{what}: shape");
        using DisposeScope scope = NewDisposeScope();
        using var noGrad = no_grad();
        Tensor e = expected.to_type(ScalarType.Float64), a = actual.to_type(ScalarType.Float64);
        double difference = (e - a).abs().max().ToDouble(), size = e.abs().max().ToDouble();
        Assert.IsLessThanOrEqualTo(absolute, difference, $"{what}: largest difference {difference:G3}, largest expected number {size:G3}");
    }
}
