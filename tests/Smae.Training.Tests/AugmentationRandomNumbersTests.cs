namespace Smae.Training.Tests;

[TestClass]
public class AugmentationRandomNumbersTests
{
    [TestMethod]
    [DataRow(0.1)]
    [DataRow(0.8)]
    [DataRow(1.0)]
    [DataRow(4.0)]
    public void BetaHasItsMeanAndVariance(double alpha)
    {
        var random = new RandomSequence(1);
        double[] drawn = [.. Enumerable.Range(0, 40000).Select(_ => random.Beta(alpha))];
        Assert.IsTrue(drawn.All(v => v is >= 0 and <= 1));
        Assert.AreEqual(0.5, drawn.Average(), 0.01);
        Assert.AreEqual(1 / (4 * (2 * alpha + 1)), drawn.Average(v => (v - 0.5) * (v - 0.5)), 0.004);
    }

    [TestMethod]
    public void TheSmallestAlphaGivesNumbersNotFaults()
    {
        var random = new RandomSequence(1);
        Assert.IsTrue(Enumerable.Range(0, 1000).All(_ => random.Beta(1e-6) is >= 0 and <= 1));
    }

    [TestMethod]
    public void NormalNumbersHaveTheirMoments()
    {
        var random = new RandomSequence(1);
        var filled = new float[40001];
        random.FillNormal(filled);
        double[] single = [.. Enumerable.Range(0, 40000).Select(_ => random.Normal())];
        foreach (double[] drawn in new[] { single, [.. filled.Select(v => (double)v)] })
        {
            Assert.AreEqual(0, drawn.Average(), 0.02);
            Assert.AreEqual(1, drawn.Average(v => v * v), 0.03);
            Assert.AreEqual(3, drawn.Average(v => v * v * v * v), 0.2);
            Assert.AreEqual(0, drawn.Zip(drawn.Skip(1), (a, b) => a * b).Average(), 0.02);
        }
    }

    [TestMethod]
    public void ChancesComeTrueAsOftenAsTheyShould()
    {
        var random = new RandomSequence(2);
        Assert.AreEqual(3000, Enumerable.Range(0, 10000).Count(_ => random.Chance(0.3)), 150);
        Assert.IsTrue(Enumerable.Range(0, 1000).All(_ => random.Chance(1) && !random.Chance(0)));
    }
}
