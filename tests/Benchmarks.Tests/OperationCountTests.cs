using Smae.Benchmarks;

namespace Benchmarks.Tests;

/// <summary>The count of operations, product by product.</summary>
[TestClass]
public sealed class OperationCountTests
{
    // 16 patches of 48 numbers; encoder: one block of 16 channels, MLP of 32; decoder the same.
    private static readonly ModelShape s_shape = ModelShape.Smallest;

    [TestMethod]
    public void EncodingIsTheProductsOfTheEncoder()
    {
        double expected = Product(16, 48, 16) + Block(17, 16, 32);
        Assert.AreEqual(3 * expected, OperationCount.Encode(s_shape, batch: 3));
    }

    [TestMethod]
    public void AStepIsThreeTimesItsForwardProductsButForTheFirst()
    {
        const int visible = 4;   // of 16, 75% hidden
        double first = Product(visible, 48, 16);
        const int hidden = 12;
        double decoder = 3 * Product(17, 16, 16) + Product(hidden, 16, 17) + Product(hidden, 17, 16) + Product(hidden, 16, 16)
            + Product(hidden, 16, 32) + Product(hidden, 32, 16);   // keys and values of all, the rest for the hidden patches
        double others = Block(visible + 1, 16, 32) + Product(visible + 1, 16, 16) + decoder + Product(hidden, 16, 48);
        Assert.AreEqual(5 * (2 * first + 3 * others), OperationCount.TrainStep(s_shape, batch: 5, ratio: 0.75));
    }

    [TestMethod]
    public void AClassifiersStepIsThreeTimesItsForwardProductsButForTheFirst() =>
        Assert.AreEqual(5 * (2 * Product(16, 48, 16) + 3 * Block(17, 16, 32)), OperationCount.ClassifierStep(s_shape, batch: 5));

    private static double Product(double rows, double inner, double columns) => 2 * rows * inner * columns;

    /// <summary>Queries, keys, values, scores, mix, projection, and both layers of the MLP, one by one.</summary>
    private static double Block(double tokens, double dim, double hidden) =>
        Product(tokens, dim, dim) + Product(tokens, dim, dim) + Product(tokens, dim, dim) + Product(tokens, dim, tokens) + Product(tokens, tokens, dim)
        + Product(tokens, dim, dim) + Product(tokens, dim, hidden) + Product(tokens, hidden, dim);
}
