using System.Runtime.Intrinsics.X86;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

/// <summary>Our kernels give what libtorch's operations give, forward and back, in both types and at sizes that no register divides.</summary>
[TestClass]
public sealed class KernelTests
{
    [TestInitialize]
    public void NeedsTheInstructions()
    {
        if (!Avx512F.IsSupported) Assert.Inconclusive("This processor has no AVX-512: the kernels are not used here.");
    }

    [TestMethod]
    [DataRow(2, 17, 3, 8, ScalarType.Float32)]
    [DataRow(1, 1, 1, 4, ScalarType.Float32)]
    [DataRow(2, 65, 4, 16, ScalarType.Float32)]
    [DataRow(2, 17, 3, 8, ScalarType.BFloat16)]
    [DataRow(3, 33, 2, 32, ScalarType.BFloat16)]
    [DataRow(2, 19, 3, 8, ScalarType.Float32, 5)]
    [DataRow(2, 33, 2, 32, ScalarType.BFloat16, 32)]
    public void Attention(int batch, int tokens, int heads, int headDim, ScalarType type, int first = 0) => AgreesWithLibtorch(
        type, randn(batch, tokens, 3 * heads * headDim), x => FusedAttention.apply(x, heads, first), x =>
        {
            Tensor[] qkv = x.view(batch, tokens, 3, heads, headDim).permute(2, 0, 3, 1, 4).unbind(0);
            Tensor weights = matmul(qkv[0].narrow(2, first, tokens - first) / Math.Sqrt(headDim), qkv[1].transpose(-2, -1)).softmax(-1);
            return matmul(weights, qkv[2]).transpose(1, 2).reshape(batch, tokens - first, heads * headDim);
        });

    [TestMethod]
    public void AttentionToOneTokenFarAheadOfTheOthersIsThatToken()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor qkv = zeros(1, 20, 3 * 4);
        qkv[0, TensorIndex.Colon, TensorIndex.Slice(0, 4)] = 100;
        qkv[0, 7, TensorIndex.Slice(4, 8)] = 100;
        qkv[0, TensorIndex.Colon, TensorIndex.Slice(8, 12)] = arange(20).to_type(ScalarType.Float32).unsqueeze(-1);
        Assert.AreEqual(0, (FusedAttention.apply(qkv, 1, 0) - 7).abs().max().ToDouble(), 1e-6);
    }

    [TestMethod]
    [DataRow(ScalarType.Float32)]
    [DataRow(ScalarType.BFloat16)]
    public void Gelu(ScalarType type) => AgreesWithLibtorch(
        type, cat([linspace(-12, 12, 1001, ScalarType.Float32), tensor((float[])[0, -0f, 1e-20f, 50, -50])]), x => FusedGelu.apply(x), x => nn.functional.gelu(x));

    [TestMethod]
    [DataRow(ScalarType.Float32)]
    [DataRow(ScalarType.BFloat16)]
    public void LayerNormalisation(ScalarType type)
    {
        using DisposeScope scope = NewDisposeScope();
        var weight = new Parameter(randn(48));
        var bias = new Parameter(randn(48));
        Tensor x = randn(5, 7, 48) * 3 + 2;
        AgreesWithLibtorch(ScalarType.Float32, x, i => FusedLayerNorm.apply(i, weight, bias, 1e-6, type), i =>
            nn.functional.layer_norm(i, [48], weight, bias, 1e-6).to_type(type), type, [weight, bias]);
    }

    /// <summary>A large tensor goes through several threads, whose parts must meet without a gap.</summary>
    [TestMethod]
    public void ManyRowsOnAllThreads() => AgreesWithLibtorch(ScalarType.Float32, randn(3, 50_001), x => FusedGelu.apply(x), x => nn.functional.gelu(x));

    private static void AgreesWithLibtorch(
        ScalarType type, Tensor input, Func<Tensor, Tensor> ours, Func<Tensor, Tensor> theirs, ScalarType? result = null, Parameter[]? parameters = null)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor rounded = input.to_type(type);
        (Tensor own, Tensor[] ownGradients) = Run(rounded, ours, parameters ?? []);
        // The other side in float32, on the same rounded numbers: what it gives is exact as far as bfloat16 can tell.
        (Tensor other, Tensor[] otherGradients) = Run(rounded.to_type(ScalarType.Float32), theirs, parameters ?? []);
        Assert.AreEqual(result ?? type, own.dtype);
        double tolerance = (result ?? type) == ScalarType.BFloat16 ? 0.02 : 2e-6;
        AreClose(other, own, tolerance);
        for (int i = 0; i < ownGradients.Length; i++) AreClose(otherGradients[i], ownGradients[i], tolerance * 2);
    }

    private static (Tensor Result, Tensor[] Gradients) Run(Tensor input, Func<Tensor, Tensor> function, Parameter[] parameters)
    {
        Tensor x = input.detach().clone().requires_grad_();
        Tensor result = function(x);
        Tensor direction = linspace(-1, 1, result.numel(), ScalarType.Float32).cos().view(result.shape);
        IList<Tensor> gradients = autograd.grad([(result.to_type(ScalarType.Float32) * direction).sum()], [x, .. parameters]);
        return (result.detach(), [.. gradients]);
    }

    private static void AreClose(Tensor expected, Tensor actual, double tolerance)
    {
        CollectionAssert.AreEqual(expected.shape, actual.shape);
        double scale = Math.Max(1, expected.to_type(ScalarType.Float32).abs().max().ToDouble());
        double difference = (expected.to_type(ScalarType.Float32) - actual.to_type(ScalarType.Float32)).abs().max().ToDouble();
        Assert.IsTrue(difference <= tolerance * scale, $"largest difference {difference:g3} of numbers up to {scale:g3}");
    }
}
