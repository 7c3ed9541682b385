using TorchSharp;
using static TorchSharp.torch;

namespace Dependencies.Tests.Torch;

/// <summary>Tensors against numbers worked out by hand.</summary>
internal static class Values
{
    public static float[] Of(Tensor tensor)
    {
        using var plain = tensor.detach();
        using var single = plain.to_type(ScalarType.Float32);
        return single.data<float>().ToArray();
    }

    public static void AreClose(float[] expected, Tensor actual, double delta = 1e-5)
    {
        var values = Of(actual);
        Assert.HasCount(expected.Length, values);
        for (int i = 0; i < expected.Length; i++) Assert.AreEqual(expected[i], values[i], delta, $"element {i} of [{string.Join(", ", values)}]");
    }

    public static void AreEqual(long[] expected, Tensor actual)
    {
        using var integers = actual.to_type(ScalarType.Int64);
        CollectionAssert.AreEqual(expected, integers.data<long>().ToArray());
    }

    public static void HasShape(Tensor tensor, params long[] expected) => CollectionAssert.AreEqual(expected, tensor.shape);
}
