using TorchSharp;
using static TorchSharp.torch;

namespace Dependencies.Tests.Torch;

/// <summary>Random numbers that come again.</summary>
[TestClass]
[DoNotParallelize]
public class RandomTests
{
    [TestMethod]
    public void The_same_seed_gives_the_same_numbers()
    {
        using var scope = NewDisposeScope();
        manual_seed(5);
        Tensor first = rand(4), normal = randn(4), order = randperm(10);
        manual_seed(5);
        Assert.IsTrue(first.Equals(rand(4)));
        Assert.IsTrue(normal.Equals(randn(4)));
        Assert.IsTrue(order.Equals(randperm(10)));
        Assert.AreEqual(5L, initial_seed());
    }

    [TestMethod]
    public void A_generator_of_its_own_leaves_the_default_one_alone()
    {
        using var scope = NewDisposeScope();
        manual_seed(5);
        var expected = rand(4);
        manual_seed(5);
        using var generator = new Generator(7);
        var own = rand(4, generator: generator);
        Assert.IsTrue(expected.Equals(rand(4)));
        generator.manual_seed(7);
        Assert.IsTrue(own.Equals(rand(4, generator: generator)));
    }

    [TestMethod]
    public void A_saved_state_resumes_where_it_was()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        rand(5, generator: generator);
        var state = generator.get_state();
        Assert.AreEqual(ScalarType.Byte, state.dtype);
        Tensor numbers = rand(5, generator: generator), order = randperm(9, generator: generator);
        generator.set_state(state);
        Assert.IsTrue(numbers.Equals(rand(5, generator: generator)));
        Assert.IsTrue(order.Equals(randperm(9, generator: generator)));

        var before = get_rng_state();
        var drawn = randn(3);
        set_rng_state(before);
        Assert.IsTrue(drawn.Equals(randn(3)));
    }

    [TestMethod]
    public void In_place_draws_take_a_generator()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        var uniform = empty(1000).uniform_(2, 3, generator);
        Assert.IsTrue(uniform.ge(2).all().ToBoolean());
        Assert.IsTrue(uniform.lt(3).all().ToBoolean());
        Assert.AreEqual(5.0, empty(10000).normal_(5, 2, generator).mean().ToDouble(), 0.1);
        Assert.AreEqual(0.25, empty(10000).bernoulli_(0.25, generator).mean().ToDouble(), 0.02);
        Assert.AreEqual(2.0, empty(10000).exponential_(0.5, generator).mean().ToDouble(), 0.1);
        var integers = randint(3, 6, [100L], generator: generator);
        Assert.AreEqual(3L, integers.min().ToInt64());
        Assert.AreEqual(5L, integers.max().ToInt64());
    }

    [TestMethod]
    public void A_permutation_holds_each_number_once()
    {
        using var scope = NewDisposeScope();
        Values.AreEqual([0, 1, 2, 3, 4, 5, 6, 7], randperm(8).sort().Values);
    }
}
