using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

[TestClass]
public sealed class PositionResizeTests : IDisposable
{
    private static readonly VisionTransformerConfig s_learned = TinyModels.Encoder with
    {
        Positions = PositionEncoding.Learned, DefaultDecoder = TinyModels.Encoder.DefaultDecoder with { Positions = PositionEncoding.Learned },
    };

    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    /// <summary>
    /// Bicubic with a = -0.75 and half-pixel centres: 2 to 4 reads at -0.25, 0.25, 0.75 and 1.25, beyond the edge the edge's own value. At 0.25 the
    /// kernel is -0.10546875, 0.87890625, 0.26171875, -0.03515625 for the places -1, 0, 1, 2.
    /// </summary>
    [TestMethod]
    public void TwoByTwoBecomesFourByFourAsByHand()
    {
        using DisposeScope scope = NewDisposeScope();
        const double near = -0.10546875 + 0.87890625, edge = -0.03515625 + 0.26171875 + 0.87890625;
        double[] second = [edge, near, 1 - near, 1 - edge];   // how much of the first of two numbers each of the four is
        float[] corner = [3, -1, 2, 7];
        Tensor table = tensor((float[])[100, .. corner], [1, 5, 1]);
        float[] resized = ModelWeights.ResizePositions(table, (2, 2), (4, 4)).data<float>().ToArray();
        Assert.AreEqual(100, resized[0]);
        for (int y = 0; y < 4; y++)
            for (int x = 0; x < 4; x++)
            {
                double top = second[x] * corner[0] + (1 - second[x]) * corner[1], bottom = second[x] * corner[2] + (1 - second[x]) * corner[3];
                Assert.AreEqual(second[y] * top + (1 - second[y]) * bottom, resized[1 + y * 4 + x], 1e-5, $"row {y}, column {x}");
            }
    }

    [TestMethod]
    public void TheSameSizeIsTheSameTable()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor table = randn(1, 7, 5);
        Tensor same = ModelWeights.ResizePositions(table, (2, 3), (2, 3));
        Assert.IsTrue(same.Equals(table));
        Assert.IsFalse(ReferenceEquals(same, table));
    }

    [TestMethod]
    public void ATableThatDoesNotFitIsRefused()
    {
        using Tensor table = zeros(1, 5, 4);
        var e = Assert.ThrowsExactly<ArgumentException>(() => ModelWeights.ResizePositions(table, (3, 3), (4, 4)));
        StringAssert.Contains(e.Message, "[1, 5, 4]");
        Assert.ThrowsExactly<ArgumentException>(() => ModelWeights.ResizePositions(table, (2, 2), (0, 4)));
    }

    [TestMethod]
    [DataRow(16, 16)]
    [DataRow(32, 32)]
    [DataRow(8, 8)]
    [DataRow(16, 24)]
    public void AnEncoderLoadsWeightsForAnotherImageSize(int height, int width)
    {
        using DisposeScope scope = NewDisposeScope();
        using var stored = new VisionTransformer(s_learned, seed: 1);
        using var model = new VisionTransformer(s_learned with { ImageHeight = height, ImageWidth = width }, seed: 2);
        SafeTensors.Save(_path, [.. ModelWeights.Of(stored), ("head.weight", zeros(2, 32))]);
        if ((height, width) != (16, 16))
        {
            var e = Assert.ThrowsExactly<InvalidDataException>(() => ModelWeights.Load(model, _path));
            StringAssert.Contains(e.Message, "'pos_embed' has the shape [1, 17, 32]");
        }
        ModelWeights.Load(model, _path, resizePositions: true, sourceGrid: (4, 4));
        Dictionary<string, Tensor> from = ModelWeights.Of(stored).ToDictionary(w => w.Name, w => w.Tensor);
        Dictionary<string, Tensor> to = ModelWeights.Of(model).ToDictionary(w => w.Name, w => w.Tensor);
        foreach (string name in from.Keys.Where(n => n != "pos_embed")) Assert.IsTrue(from[name].Equals(to[name]), name);
        Close.To(ModelWeights.ResizePositions(from["pos_embed"], (4, 4), (height / 4, width / 4)), to["pos_embed"], 0, "positions");
        Assert.IsTrue(to["pos_embed"].narrow(1, 0, 1).Equals(from["pos_embed"].narrow(1, 0, 1)), "the class token's row");
        Assert.IsTrue(model.forward(randn(1, 3, height, width)).isfinite().all().ToBoolean());
    }

    [TestMethod]
    public void FixedTablesAreMadeAgain()
    {
        using DisposeScope scope = NewDisposeScope();
        using var stored = new MaskedAutoencoder(TinyModels.Encoder, seed: 1);
        using var model = new MaskedAutoencoder(TinyModels.Encoder.ForImages(32), seed: 2);
        Tensor[] before = [.. Tables(model).Select(t => t.clone())];
        SafeTensors.Save(_path, ModelWeights.Of(stored));
        ModelWeights.Load(model, _path, resizePositions: true);
        foreach ((Tensor expected, Tensor actual) in before.Zip(Tables(model))) Assert.IsTrue(expected.Equals(actual));
        Assert.IsTrue(Weight(model).Equals(Weight(stored)));
    }

    [TestMethod]
    public void BothLearnedTablesOfAnAutoencoderAreResized()
    {
        using DisposeScope scope = NewDisposeScope();
        using var stored = new MaskedAutoencoder(s_learned, seed: 1);
        using var model = new MaskedAutoencoder(s_learned.ForImages(24), seed: 2);
        SafeTensors.Save(_path, ModelWeights.Of(stored));
        ModelWeights.Load(model, _path, resizePositions: true, sourceGrid: (4, 4));
        foreach ((Tensor from, Tensor to) in Tables(stored).Zip(Tables(model)))
            Close.To(ModelWeights.ResizePositions(from, (4, 4), (6, 6)), to, 0, "positions");
    }

    [TestMethod]
    public void AGridThatCannotBeGuessedIsAFault()
    {
        using DisposeScope scope = NewDisposeScope();
        using var model = new VisionTransformer(s_learned);
        SafeTensors.Save(_path, ModelWeights.Of(model).Select(w => w.Name == "pos_embed" ? (w.Name, zeros(1, 8, 32)) : w));
        string message = Assert.ThrowsExactly<InvalidDataException>(() => ModelWeights.Load(model, _path, resizePositions: true)).Message;
        StringAssert.Contains(message, "'pos_embed' has the shape [1, 8, 32], expected [1, 17, 32]");
    }

    [TestMethod]
    public void AGridThatIsNotKnownAndNotSquareIsToBeSaid()
    {
        using DisposeScope scope = NewDisposeScope();
        using var stored = new VisionTransformer(s_learned with { ImageHeight = 8, ImageWidth = 64 }, seed: 1);   // 2x16
        using var model = new VisionTransformer(s_learned, seed: 2);
        SafeTensors.Save(_path, ModelWeights.Of(stored));
        string message = Assert.ThrowsExactly<InvalidDataException>(() => ModelWeights.Load(model, _path, resizePositions: true)).Message;
        StringAssert.Contains(message, "32 patches are no square, so pass sourceGrid");
        Assert.ThrowsExactly<InvalidDataException>(() => ModelWeights.Load(model, _path, resizePositions: true, sourceGrid: (4, 16)));
        ModelWeights.Load(model, _path, resizePositions: true, sourceGrid: (2, 16));
        Close.To(ModelWeights.ResizePositions(Table(stored), (2, 16), (4, 4)), Table(model), 0, "positions");
    }

    [TestMethod]
    public void ASquareThatCouldBeAnotherGridIsToBeSaid()
    {
        using DisposeScope scope = NewDisposeScope();
        using var stored = new VisionTransformer(s_learned with { ImageHeight = 16, ImageWidth = 64 }, seed: 1);   // 4x16
        using var model = new VisionTransformer(s_learned, seed: 2);
        SafeTensors.Save(_path, ModelWeights.Of(stored));
        string message = Assert.ThrowsExactly<InvalidDataException>(() => ModelWeights.Load(model, _path, resizePositions: true)).Message;
        StringAssert.Contains(message, "64 patches may be 8x8 or 4x16, so pass sourceGrid");
        ModelWeights.Load(model, _path, resizePositions: true, sourceGrid: (4, 16));
        Close.To(ModelWeights.ResizePositions(Table(stored), (4, 16), (4, 4)), Table(model), 0, "positions");

        using var square = new VisionTransformer(s_learned with { ImageHeight = 20, ImageWidth = 20 }, seed: 3);   // 25 patches are 5x5 or one row
        SafeTensors.Save(_path, ModelWeights.Of(square));
        ModelWeights.Load(model, _path, resizePositions: true);
        Close.To(ModelWeights.ResizePositions(Table(square), (5, 5), (4, 4)), Table(model), 0, "positions");
    }

    [TestMethod]
    [DataRow(16, 64, 32, 32)]   // 4x16, which is as many as 8x8
    [DataRow(8, 32, 16, 16)]   // 2x8 to 4x4, the same number
    [DataRow(16, 16, 8, 32)]
    public void TheGridInTheDescriptionIsTheTrueOne(int height, int width, int newHeight, int newWidth)
    {
        using DisposeScope scope = NewDisposeScope();
        string path = Path.Combine(Directory.CreateDirectory(_path + ".folder").FullName, "encoder.safetensors");
        try
        {
            using ImageEncoder stored = ImageEncoder.Create(s_learned with { ImageHeight = height, ImageWidth = width }, seed: 1);
            stored.Save(path);
            using var model = new VisionTransformer(s_learned with { ImageHeight = newHeight, ImageWidth = newWidth }, seed: 2);
            using var same = new VisionTransformer(stored.Model.Config, seed: 2);
            Tensor before = Table(model).clone();
            StringAssert.Contains(Assert.ThrowsExactly<InvalidDataException>(() => ModelWeights.Load(model, path)).Message, "'pos_embed'");
            Assert.IsTrue(before.Equals(Table(model)));
            ModelWeights.Load(model, path, resizePositions: true);
            Close.To(ModelWeights.ResizePositions(Table(stored.Model), (height / 4, width / 4), (newHeight / 4, newWidth / 4)), Table(model), 0, "positions");
            ModelWeights.Load(same, path, resizePositions: true);
            Assert.IsTrue(Table(stored.Model).Equals(Table(same)));
        }
        finally
        {
            Directory.Delete(_path + ".folder", recursive: true);
        }
    }

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void AFixedTableIsTheModelsOwnWhateverTheFileHolds(bool resize)
    {
        using DisposeScope scope = NewDisposeScope();
        using var stored = new VisionTransformer(TinyModels.Encoder with { ImageHeight = 8, ImageWidth = 32 }, seed: 1);   // 2x8
        using var model = new VisionTransformer(TinyModels.Encoder, seed: 2);
        using var classifier = new VisionTransformerClassifier(TinyModels.Encoder, 2);
        Tensor own = Table(model).clone();
        SafeTensors.Save(_path, ModelWeights.Of(stored));
        ModelWeights.Load(model, _path, resize);
        Assert.IsTrue(own.Equals(Table(model)));
        Assert.IsFalse(own.Equals(Table(stored)));
        using var learned = new VisionTransformer(s_learned, seed: 3);
        classifier.CopyFrom(learned);
        Assert.IsTrue(own.Equals(Table(classifier.Backbone)), "a classifier with a fixed table");
    }

    private static Tensor Table(VisionTransformer model) => ModelWeights.Of(model).Single(w => w.Name == "pos_embed").Tensor;

    private static IEnumerable<Tensor> Tables(MaskedAutoencoder model) =>
        ModelWeights.Of(model).Where(w => w.Name.EndsWith("pos_embed")).Select(w => w.Tensor);

    private static Tensor Weight(MaskedAutoencoder model) => ModelWeights.Of(model).Single(w => w.Name == "blocks.1.mlp.fc2.weight").Tensor;
}
