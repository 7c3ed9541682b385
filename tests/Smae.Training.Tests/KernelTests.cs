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

    /// <summary>A whole block, forward and back to its input and to every weight.</summary>
    [TestMethod]
    [DataRow(3, 17, ResidualStyle.PreNorm, Activation.Gelu, ScalarType.Float32)]
    [DataRow(3, 17, ResidualStyle.PreNorm, Activation.Gelu, ScalarType.BFloat16)]
    [DataRow(2, 33, ResidualStyle.Normed, Activation.Relu, ScalarType.Float32)]
    [DataRow(2, 33, ResidualStyle.Normed, Activation.Relu, ScalarType.BFloat16)]
    [DataRow(2, 19, ResidualStyle.PreNorm, Activation.Relu, ScalarType.Float32, 5)]
    [DataRow(2, 19, ResidualStyle.Normed, Activation.Gelu, ScalarType.Float32, 5)]
    [DataRow(2, 19, ResidualStyle.PreNorm, Activation.Gelu, ScalarType.BFloat16, 18)]
    [DataRow(6, 9, ResidualStyle.PreNorm, Activation.Gelu, ScalarType.Float32, 0, 0.5)]
    [DataRow(6, 9, ResidualStyle.Normed, Activation.Relu, ScalarType.BFloat16, 3, 0.5)]
    [DataRow(1, 1, ResidualStyle.PreNorm, Activation.Gelu, ScalarType.Float32)]
    [DataRow(41, 50, ResidualStyle.PreNorm, Activation.Gelu, ScalarType.Float32)]
    public void WholeBlock(int batch, int tokens, ResidualStyle residual, Activation activation, ScalarType type, int first = 0, double dropPath = 0)
    {
        using DisposeScope scope = NewDisposeScope();
        var config = new DecoderConfig { EmbedDim = 96, Depth = 1, NumHeads = 3, MlpRatio = 1.5, Residual = residual, Activation = activation };
        using var generator = new Generator(1);
        var noise = new ForwardNoise { Generator = generator };
        using var block = new Block(config, noise) { DropPath = dropPath };
        using (no_grad())
            foreach (Parameter parameter in block.parameters()) parameter.normal_(parameter.dim() == 1 ? 0.5 : 0, 0.2, generator);
        Tensor x = randn([batch, tokens, 96], generator: generator) * 2 + 0.3;
        Assert.IsTrue(FusedBlock.CanUse(x, config));
        Tensor Run(Func<Tensor, Tensor> forward, Tensor input)
        {
            generator.manual_seed(3);   // the same images are dropped
            return forward(input);
        }

        AgreesWithLibtorch(
            ScalarType.Float32, x, input => Run(i => block.ByKernels(i, type, first), input),
            input => Run(i => block.ByOperations(i, ScalarType.Float32, first), input), ScalarType.Float32, [.. block.parameters()],
            type == ScalarType.BFloat16 ? 0.03 : 1e-5);
    }

    [TestMethod]
    [DataRow(100, 4, 1.5, 0)]
    [DataRow(96, 3, 1.1, 0)]
    [DataRow(96, 4, 1, 0.1)]
    public void WhatKernelsCannotDoIsDoneByOperations(int dim, int heads, double mlpRatio, double dropout)
    {
        using DisposeScope scope = NewDisposeScope();
        var config = new DecoderConfig { EmbedDim = dim, Depth = 1, NumHeads = heads, MlpRatio = mlpRatio, Dropout = dropout };
        using var block = new Block(config, new ForwardNoise());
        using (no_grad())
            foreach (Parameter parameter in block.parameters()) parameter.normal_(0, 0.2);
        Tensor x = randn(2, 5, dim), expected = block.ByOperations(x, ScalarType.BFloat16, 0);
        if (dropout > 0) Assert.IsFalse(expected.Equals(block.forward(x, ScalarType.BFloat16)), "nothing was dropped");
        block.eval();
        if (dropout == 0) Assert.IsFalse(FusedBlock.CanUse(x, config));
        AreClose(block.ByOperations(x, ScalarType.BFloat16, 0), block.forward(x, ScalarType.BFloat16), 0.02);
    }

    [TestMethod]
    public void AttentionToOneTokenFarAheadOfTheOthersIsThatToken()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor qkv = zeros(1, 20, 3 * 16), value = arange(20).to_type(ScalarType.Float32).unsqueeze(-1);
        qkv[0, TensorIndex.Colon, TensorIndex.Slice(0, 16)] = 100;
        qkv[0, 7, TensorIndex.Slice(16, 32)] = 100;
        qkv[0, TensorIndex.Colon, TensorIndex.Slice(32, 48)] = value;
        Tensor mixed = HeadAttention<float, SingleLane>.Forward(qkv.view(20, 48), zeros(48), new AttentionShape(1, 20, 1, 16), first: 0).Mixed;
        Assert.AreEqual(0, (mixed - 7).abs().max().ToDouble(), 1e-6);
    }

    /// <summary>Far from zero too, where the exponential is nothing, GELU and its slope are what libtorch has.</summary>
    [TestMethod]
    public unsafe void Gelu()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor x = cat([linspace(-12, 12, 1003, ScalarType.Float32), tensor((float[])[0, -0f, 1e-20f, 50, -50])]);
        Tensor ours = x.clone(), result = empty_like(x), leaf = x.clone().requires_grad_(), theirs = nn.functional.gelu(leaf);
        ActivationKernel<float, SingleLane>.Forward(
            CpuKernels.Pointer<float>(ours), CpuKernels.Pointer<float>(zeros(16)), Activation.Gelu, CpuKernels.Pointer<float>(result), 63, 16);
        AreClose(theirs.detach(), result, 1e-6);
        AreClose(autograd.grad([theirs.sum()], [leaf])[0], ours, 1e-6);
    }

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

    private static void AgreesWithLibtorch(
        ScalarType type, Tensor input, Func<Tensor, Tensor> ours, Func<Tensor, Tensor> theirs, ScalarType? result = null, Parameter[]? parameters = null,
        double? tolerance = null)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor rounded = input.to_type(type);
        (Tensor own, Tensor[] ownGradients) = Run(rounded, ours, parameters ?? []);
        // The other side in float32, on the same rounded numbers: what it gives is exact as far as bfloat16 can tell.
        (Tensor other, Tensor[] otherGradients) = Run(rounded.to_type(ScalarType.Float32), theirs, parameters ?? []);
        Assert.AreEqual(result ?? type, own.dtype);
        tolerance ??= (result ?? type) == ScalarType.BFloat16 ? 0.02 : 2e-6;
        AreClose(other, own, tolerance.Value);
        for (int i = 0; i < ownGradients.Length; i++) AreClose(otherGradients[i], ownGradients[i], tolerance.Value * 2);
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
