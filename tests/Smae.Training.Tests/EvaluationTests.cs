using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

[TestClass]
public class EvaluationTests
{
    [TestMethod]
    public void TopOneAndTopFiveByHand()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor logits = tensor(new float[]
        {
            7, 6, 5, 4, 3, 2, 1,   // class 0 first, class 4 fifth, class 5 sixth
            7, 6, 5, 4, 3, 2, 1,
            7, 6, 5, 4, 3, 2, 1,
            0, 9, 0, 0, 0, 0, 0,   // equal scores: classes 0, 2, 3, 4 come before 5
        }, [4, 7]);
        Evaluation result = Evaluation.Of(logits, tensor(new long[] { 0, 4, 5, 4 }));
        Assert.AreEqual((4L, 0.25, 0.75), (result.Count, result.Top1, result.Top5));
        CollectionAssert.AreEqual((long[])[0, 4, 5, 4], Evaluation.Ranks(logits, tensor(new long[] { 0, 4, 5, 4 })).data<long>().ToArray());
        Assert.AreEqual(5L, Evaluation.Ranks(logits, tensor(new long[] { 0, 0, 0, 5 }))[3].ToInt64());
    }

    [TestMethod]
    public void EqualOrUselessScoresAreNotRight()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor labels = tensor(new long[] { 0, 3, 6, 9 });
        Assert.AreEqual(0.25, Evaluation.Of(zeros(4, 10), labels).Top1, "only the first class is guessed");
        Evaluation useless = Evaluation.Of(full(4, 10, double.NaN), labels);
        Assert.AreEqual((0.0, 0.0), (useless.Top1, useless.Top5));
        Assert.AreEqual(Math.Log(10), Evaluation.Of(zeros(4, 10), labels).Loss, 1e-6);
    }

    [TestMethod]
    public void PartsWeighAsTheyAreLarge()
    {
        Evaluation together = Evaluation.Together([new(3, 1, 1, 1), new(1, 5, 0, 0)], Ranks.Alone);
        Assert.AreEqual(new Evaluation(4, 2, 0.75, 0.75), together);
        Assert.IsTrue(new Evaluation(1, 2, 0.5, 1).IsBetterThan(new Evaluation(1, 1, 0.4, 1)));
        Assert.IsTrue(new Evaluation(1, 1, 0.5, 1).IsBetterThan(new Evaluation(1, 2, 0.5, 1)));
        Assert.IsFalse(new Evaluation(1, 1, 0.5, 1).IsBetterThan(new Evaluation(1, 1, 0.5, 1)), "the earlier one stays");
    }

    [TestMethod]
    public void ShapesThatDoNotFitAreRefused()
    {
        using DisposeScope scope = NewDisposeScope();
        StringAssert.Contains(
            Assert.ThrowsExactly<ArgumentException>(() => Evaluation.Of(zeros(4, 3), zeros(3, ScalarType.Int64))).Message, "[4, 3]");
        Assert.ThrowsExactly<ArgumentException>(() => Evaluation.Of(zeros(0, 3), zeros(0, ScalarType.Int64)));
    }
}
