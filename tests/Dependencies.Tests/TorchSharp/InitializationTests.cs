using TorchSharp;
using static TorchSharp.torch;

namespace Dependencies.Tests.Torch;

/// <summary>First values of parameters, and where TorchSharp's differ from PyTorch's.</summary>
[TestClass]
[DoNotParallelize]
public class InitializationTests
{
    [TestMethod]
    public void Xavier_uniform_stays_within_its_bound()
    {
        using var weight = empty(100, 50);
        double bound = Math.Sqrt(6.0 / 150);
        Assert.AreSame(weight, nn.init.xavier_uniform_(weight));
        using var largest = weight.abs().max();
        Assert.IsLessThanOrEqualTo(bound, largest.ToDouble());
        Assert.IsGreaterThan(0.9 * bound, largest.ToDouble());
    }

    [TestMethod]
    public void Kaiming_uniform_of_a_linear_layer_stays_within_one_over_the_root_of_its_inputs()
    {
        using var layer = nn.Linear(64, 32);
        using Tensor weight = layer.weight.abs().max(), bias = layer.bias!.abs().max();
        Assert.IsLessThanOrEqualTo(0.125 + 1e-6, weight.ToDouble());
        Assert.IsLessThanOrEqualTo(0.125 + 1e-6, bias.ToDouble());
        Assert.IsGreaterThan(0.1, weight.ToDouble());
    }

    [TestMethod]
    public void Normal_and_constants()
    {
        using var scope = NewDisposeScope();
        var x = nn.init.normal_(empty(10000), 1, 0.02);
        Assert.AreEqual(1.0, x.mean().ToDouble(), 0.002);
        Assert.AreEqual(0.02, x.std().ToDouble(), 0.002);
        Values.AreClose([1, 1], nn.init.ones_(empty(2)));
        Values.AreClose([0, 0], nn.init.zeros_(empty(2)));
        Values.AreClose([3, 3], nn.init.constant_(empty(2), 3));
        Assert.AreEqual(Math.Sqrt(2), nn.init.calculate_gain(nn.init.NonlinearityType.ReLU), 1e-9);
    }

    // Its mean and deviation have changed places: nothing can rely on it.
    [TestMethod]
    public void Truncated_normal_fills_with_the_deviation()
    {
        using var x = nn.init.trunc_normal_(empty(3), mean: 0, std: 0.02);
        Values.AreClose([0.02f, 0.02f, 0.02f], x);
    }

    [TestMethod]
    public void A_generator_given_is_not_used()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(9);
        manual_seed(1);
        var first = nn.init.normal_(empty(4), generator: generator);
        manual_seed(1);
        Assert.IsTrue(first.Equals(nn.init.normal_(empty(4), generator: generator)));
    }
}
