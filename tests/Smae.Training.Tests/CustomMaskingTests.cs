using static TorchSharp.torch;

namespace Smae.Training.Tests;

/// <summary>A masking that is not of this library: it trains, its runs go on after a stop, and only with the same settings.</summary>
[TestClass]
public sealed class CustomMaskingTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("smae-masking-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [TestMethod]
    public void ARunThatWasStoppedEndsWithTheSameWeights()
    {
        using ImageStore images = TinyModels.Images(24);
        MaePretrainOptions options = TinyModels.Options with { Epochs = 3, Masking = new StripeMasking([0, 2], "hidden") };
        string whole = TensorHash.Of(ModelWeights.Of(MaePretraining.Run(images, options).Model));

        MaePretrainOptions stored = options with { Checkpoints = new CheckpointOptions { Directory = _folder } };
        using var stop = new CancellationTokenSource();
        MaePretrainOptions stopped = stored with { CancellationToken = stop.Token, Progress = new StopAfter(4, stop) };
        Assert.ThrowsExactly<OperationCanceledException>(() => MaePretraining.Run(images, stopped));
        Assert.IsNotEmpty(Directory.GetFiles(_folder));
        Assert.AreEqual(whole, TensorHash.Of(ModelWeights.Of(MaePretraining.Run(images, stored).Model)));
        Assert.AreNotEqual(whole, TensorHash.Of(ModelWeights.Of(MaePretraining.Run(images, options with { Masking = Masking.Random(0.5) }).Model)));
    }

    [TestMethod]
    public void TheIdentityIsThatOfAllSettingsInAnyCulture()
    {
        string Of(Masking masking) => masking.Identity;
        Assert.AreEqual(Of(new StripeMasking([0, 2], "a")), Of(new StripeMasking([0, 2], "a")));
        string[] all = [Of(new StripeMasking([0, 2], "a")), Of(new StripeMasking([1, 3], "a")), Of(new StripeMasking([0, 2], "b")),
            Of(Masking.Random(0.5)), Of(Masking.Block(0.5)), Of(Masking.Random(0.25))];
        Assert.HasCount(all.Length, all.Distinct());
        StringAssert.Contains(Of(Masking.Random(0.25)), "Ratio = 0.25");
        var culture = System.Globalization.CultureInfo.CurrentCulture;
        try
        {
            System.Globalization.CultureInfo.CurrentCulture = new System.Globalization.CultureInfo("") { NumberFormat = { NumberDecimalSeparator = "," } };
            CollectionAssert.Contains(all, Of(Masking.Random(0.25)));
        }
        finally
        {
            System.Globalization.CultureInfo.CurrentCulture = culture;
        }
        string message = Assert.ThrowsExactly<InvalidOperationException>(() => Of(new SecretiveMasking())).Message;
        StringAssert.Contains(message, "_random");
        StringAssert.Contains(message, "override Identity");
    }

    /// <summary>Hides some columns of every four, moved by a number of its own for each image.</summary>
    private sealed record StripeMasking(IReadOnlyList<int> Columns, string Name) : Masking(Columns.Count / 4.0)
    {
        public override PatchMask Draw(long batch, int gridHeight, int gridWidth, Generator generator)
        {
            using Tensor drawn = randint(4, [batch], ScalarType.Int64, generator: generator);
            long[] moved = drawn.data<long>().ToArray();
            bool[] hidden = [.. moved.SelectMany(m => Enumerable.Range(0, gridHeight * gridWidth).Select(i => Columns.Contains((int)((i % gridWidth + m) % 4))))];
            return PatchMask.FromFlags(hidden, gridHeight * gridWidth);
        }

        public override string ToString() => "the same for all";
    }

    private sealed record SecretiveMasking() : Masking(0.5)
    {
        private readonly Random _random = new(1);

        public override PatchMask Draw(long batch, int gridHeight, int gridWidth, Generator generator) => throw new NotSupportedException($"{_random}");
    }

    private sealed class StopAfter(long step, CancellationTokenSource stop) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value)
        {
            if (value.Step >= step) stop.Cancel();
        }
    }
}
