using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

/// <summary>The encoder with mask tokens in its input.</summary>
[TestClass]
public class MaskTokenTests
{
    /// <summary>A patch of zeros embeds as the projection's bias: a mask token of that value must do what the zeros do.</summary>
    [TestMethod]
    [DataRow(ClassToken.First, Precision.Float32)]
    [DataRow(ClassToken.Last, Precision.Float32)]
    [DataRow(ClassToken.None, Precision.Float32)]
    [DataRow(ClassToken.First, Precision.BFloat16)]
    public void ATokenStandsForThePatchesThatAreHidden(ClassToken classToken, Precision precision)
    {
        using DisposeScope scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = new VisionTransformer(TinyModels.Encoder with { ClassToken = classToken }) { Precision = precision };
        Tensor bias = ModelWeights.Of(model).Single(w => w.Name == "patch_embed.proj.bias").Tensor;
        bias.copy_(randn(32).to_type(precision == Precision.BFloat16 ? ScalarType.BFloat16 : ScalarType.Float32));
        Tensor patches = randn(3, 16, 48), hidden = zeros(3, 16);
        hidden[0, 3] = hidden[0, 15] = hidden[1, 0] = 1;   // two patches, one and none
        Tensor expected = model.Encode(patches * (1 - hidden).unsqueeze(-1), visible: null);
        Close.To(expected, model.Encode(patches, hidden, bias.view(1, 1, 32)), 1e-6, "tokens");
        Close.To(expected, model.Encode(patches, hidden.to_type(ScalarType.Bool), bias.view(1, 1, 32)), 1e-6, "tokens, flags as bool");
        Assert.IsFalse(expected.Equals(model.Encode(patches, visible: null)), "what is hidden does not matter");
    }

    [TestMethod]
    public void ItsGradientIsThatOfTheHiddenPlaces()
    {
        using DisposeScope scope = NewDisposeScope();
        using var model = new VisionTransformer(TinyModels.Encoder);
        Tensor patches = randn(2, 16, 48).requires_grad_(), hidden = zeros(2, 16), token = randn(1, 1, 32).requires_grad_();
        hidden[0, 5] = hidden[1, 6] = 1;
        model.Encode(patches, hidden, token).square().sum().backward();
        Assert.IsGreaterThan(0, token.grad!.abs().sum().ToDouble());
        Tensor seen = patches.grad!.abs().sum(-1).gt(0);
        Assert.IsTrue(seen.Equals(hidden.eq(0)), "exactly the visible patches are seen");
    }

    [TestMethod]
    public void ShapesThatDoNotFitAreNamed()
    {
        using DisposeScope scope = NewDisposeScope();
        using var model = new VisionTransformer(TinyModels.Encoder);
        Tensor patches = randn(2, 16, 48);
        ArgumentException e = Assert.ThrowsExactly<ArgumentException>(() => model.Encode(patches, zeros(2, 15), zeros(1, 1, 32)));
        StringAssert.Contains(e.Message, "[2, 15]: expected [2, 16]. (Parameter 'hidden')");
        e = Assert.ThrowsExactly<ArgumentException>(() => model.Encode(patches, zeros(2, 16), zeros(1, 1, 16)));
        StringAssert.Contains(e.Message, "[1, 1, 16]: expected [1, 1, 32]. (Parameter 'maskToken')");
    }
}
