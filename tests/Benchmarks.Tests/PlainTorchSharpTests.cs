using Smae.Benchmarks;
using Smae.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Benchmarks.Tests;

/// <summary>The peer in plain TorchSharp is the same model as Smae's: as many parameters, and the same loss and gradients from the same weights.</summary>
[TestClass]
public sealed class PlainTorchSharpTests
{
    private const double Ratio = 0.75;

    [TestMethod]
    public void TheLossAndItsGradientsAreThoseOfSmae()
    {
        using DisposeScope scope = NewDisposeScope();
        (MaskedAutoencoder smae, PlainTorchSharp plain, Dictionary<string, (Tensor Smae, Tensor Plain)> weights) = SameWeights(bf16: false);
        (float expected, float actual) = Losses(smae, plain);
        Assert.AreEqual(expected, actual, 1e-4f);
        foreach ((string name, (Tensor ours, Tensor peers)) in weights.Where(w => w.Value.Smae.requires_grad))
        {
            float difference = (AsPlain(ours.grad!, peers) - peers.grad!).abs().max().ToSingle();
            Assert.IsLessThan(1e-5f, difference, $"the gradient of {name}");
        }
    }

    [TestMethod]
    public void TheLossInBFloat16IsNearIt()
    {
        using DisposeScope scope = NewDisposeScope();
        (MaskedAutoencoder smae, PlainTorchSharp plain, _) = SameWeights(bf16: true);
        (float expected, float actual) = Losses(smae, plain);
        Assert.AreEqual(expected, actual, 1e-2f);
    }

    /// <summary>Both models of the shape that is measured, with Smae's weights; parameters and position tables by name.</summary>
    private static (MaskedAutoencoder, PlainTorchSharp, Dictionary<string, (Tensor Smae, Tensor Plain)>) SameWeights(bool bf16)
    {
        ModelShape shape = ModelShape.VitLite;
        var smae = new MaskedAutoencoder(shape.ToEncoder(), shape.ToDecoder(), seed: 1);
        var plain = new PlainTorchSharp(shape, Ratio, bf16);
        Assert.AreEqual(smae.parameters().Where(p => p.requires_grad).Sum(p => p.numel()), plain.parameters().Sum(p => p.numel()));

        // The names differ in underscores, capitals and groups only.
        static string Plain(string name) => name.Replace("_", "").Replace("attn.", "").Replace("mlp.", "").Replace("embed.proj", "embedproj").ToLowerInvariant();
        Dictionary<string, Tensor> peers = plain.state_dict().ToDictionary(t => Plain(t.Key), t => t.Value);
        var weights = ModelWeights.Of(smae).ToDictionary(t => t.Name, t => (t.Tensor, peers[Plain(t.Name)]));
        Assert.HasCount(peers.Count, weights);
        using var noGrad = no_grad();
        foreach ((string name, (Tensor ours, Tensor peer)) in weights)
        {
            if (ours.requires_grad) peer.copy_(AsPlain(ours, peer));
            else Assert.IsLessThan(1e-6f, (ours - peer).abs().max().ToSingle(), $"the table {name}");
        }
        smae.Precision = bf16 ? Precision.BFloat16 : Precision.Float32;
        return (smae, plain, weights);
    }

    /// <summary>The first layer of Smae is kept as a convolution, the peer's takes flat patches: (row, column, channel).</summary>
    private static Tensor AsPlain(Tensor ours, Tensor peer) => ours.dim() == 4 ? ours.permute(0, 2, 3, 1).reshape(peer.shape) : ours;

    private static (float Smae, float Plain) Losses(MaskedAutoencoder smae, PlainTorchSharp plain)
    {
        using var generator = new Generator(1);
        Tensor images = randn(4, 3, 64, 64, generator: generator), noise = rand(4, 256, generator: generator);
        Tensor expected = Objective.Pixel().Loss(smae.forward(images, PatchMask.FromNoise(noise, Ratio))), actual = plain.forward(images, noise);
        expected.backward();
        actual.backward();
        return (expected.ToSingle(), actual.ToSingle());
    }
}
