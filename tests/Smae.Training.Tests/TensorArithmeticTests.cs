using System.Diagnostics;
using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

/// <summary>
/// Numbers reach libtorch whole while another thread does nothing but collect garbage. Beside such a thread TorchSharp's own <c>x * 2.5</c> on three threads
/// ended in "Unknown scalar type" in three runs of three, each within 40 seconds.
/// </summary>
[TestClass]
public sealed class TensorArithmeticTests
{
    private static readonly TimeSpan s_time = TimeSpan.FromSeconds(2);

    [TestMethod]
    public void ArithmeticIsExactBesideACollector()
    {
        using var collector = new Collector();
        var clock = Stopwatch.StartNew();
        string?[] faults = new string?[3];
        Thread[] threads = [.. Enumerable.Range(0, faults.Length).Select(i => new Thread(() =>
        {
            try
            {
                while (clock.Elapsed < s_time && faults[i] is null) faults[i] = Fault();
            }
            catch (Exception e)
            {
                faults[i] = e.Message;
            }
        }))];
        foreach (Thread thread in threads) thread.Start();
        foreach (Thread thread in threads) thread.Join();
        Assert.AreEqual("", string.Concat(faults));
    }

    [TestMethod]
    public void TrainingIsExactBesideACollector()
    {
        using ImageStore images = TinyModels.Images(23);
        MaePretrainOptions options = TinyModels.Options with
        {
            Augmentation = Augmentation.ColorJitter(0.4, 0.4, 0.2, 0.1).Then(Augmentation.RandAugment()), ClipGradientNorm = 0.1, WeightAverageDecay = 0.9,
        };
        double[] Losses()
        {
            MaePretrainResult result = MaePretraining.Run(images, options);
            using MaskedAutoencoder model = result.Model;
            return [.. result.History.Select(e => e.Loss)];
        }
        double[] undisturbed = Losses();
        using var collector = new Collector();
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < s_time;) CollectionAssert.AreEqual(undisturbed, Losses());
    }

    /// <summary>Every operation once; what is wrong of them, or null.</summary>
    private static string? Fault()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor x = tensor([1f, 2, 4]), y = tensor([3f, 3, 3]), whole = tensor([1L, 2, 4]), mask = tensor([true, false, false]);
        (string Name, double[] Expected, Tensor Found)[] all =
        [
            ("Plus", [4, 5, 7], x.Plus(y)), ("Plus times", [2.5, 3.5, 5.5], x.Plus(y, times: 0.5)), ("Plus number", [3.5, 4.5, 6.5], x.Plus(2.5)),
            ("Minus", [0.5, 1.5, 3.5], x.Minus(0.5)), ("SubtractedFrom", [0, -1, -3], x.SubtractedFrom(1)), ("Times", [2.5, 5, 10], x.Times(2.5)),
            ("DividedBy", [0.5, 1, 2], x.DividedBy(2)), ("DividedBy floor", [0, 1, 2], x.DividedBy(2, RoundingMode.floor)), ("Modulo", [1, 2, 1], x.Modulo(3)),
            ("Squared", [1, 4, 16], x.Squared()), ("Squared whole", [1, 4, 16], whole.Squared()), ("Plus whole", [3, 4, 6], whole.Plus(2)),
            ("Clamped", [1.5, 2, 3], x.Clamped(1.5, 3)), ("AtLeast", [1.5, 2, 4], x.AtLeast(1.5)), ("AtMost", [1, 2, 2.5], x.AtMost(2.5)),
            ("Masked", [-7, 2, 4], x.Masked(mask, -7)), ("AddInPlace", [4, 5, 7], x.clone().AddInPlace(y)),
            ("AddInPlace times", [2.5, 3.5, 5.5], x.clone().AddInPlace(y, times: 0.5)), ("AddInPlace number", [3.5, 4.5, 6.5], x.clone().AddInPlace(2.5)),
            ("AddProductInPlace", [2.5, 5, 10], x.clone().AddProductInPlace(x, y, times: 0.5)),
            ("AddQuotientInPlace", [2.5, 3.5, 5.5], x.clone().AddQuotientInPlace(y, y, times: 1.5)),
            ("SubtractInPlace", [0.5, 1.5, 3.5], x.clone().SubtractInPlace(0.5)), ("MultiplyInPlace", [2.5, 5, 10], x.clone().MultiplyInPlace(2.5)),
            ("DivideInPlace", [0.5, 1, 2], x.clone().DivideInPlace(2)), ("ModuloInPlace", [1, 2, 1], x.clone().ModuloInPlace(3)),
            ("ClampInPlace", [1.5, 2, 3], x.clone().ClampInPlace(1.5, 3)), ("IsEqualTo", [0, 1, 0], x.IsEqualTo(2)), ("IsAbove", [0, 0, 1], x.IsAbove(2)),
            ("IsAtLeast", [0, 1, 1], x.IsAtLeast(2)), ("IsBelow", [1, 0, 0], x.IsBelow(2)),
            ("Full", [2.5, 2.5], TensorArithmetic.Full([2], 2.5, ScalarType.Float32)), ("Range", [0, 1, 2], TensorArithmetic.Range(3, ScalarType.Int64)),
            ("Range from", [5, 6], TensorArithmetic.Range(5, 7, ScalarType.Float32)),
        ];
        foreach ((string name, double[] expected, Tensor found) in all)
            if (!found.to_type(ScalarType.Float64).data<double>().SequenceEqual(expected)) return $"{name} is {string.Join(", ", found.to_type(ScalarType.Float64).data<double>())}";
        return x[1].AsDouble() == 2 && whole[2].AsInt64() == 4 && mask[0].AsBoolean() ? null : "a number of a tensor is another";
    }

    private sealed class Collector : IDisposable
    {
        private readonly Thread _thread;
        private volatile bool _ends;

        public Collector()
        {
            _thread = new Thread(() =>
            {
                while (!_ends)
                {
                    GC.Collect(0);
                    GC.WaitForPendingFinalizers();
                }
            });
            _thread.Start();
        }

        public void Dispose()
        {
            _ends = true;
            _thread.Join();
        }
    }
}
