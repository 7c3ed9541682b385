using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

[TestClass]
public class ImageEncoderTests
{
    private string _folder = "";

    [TestInitialize]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("smae-test-").FullName;

    [TestCleanup]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [TestMethod]
    public void ASavedEncoderEmbedsAsBefore()
    {
        using ImageStore images = TinyModels.Images(6);
        using ImageEncoder encoder = ImageEncoder.Create(TinyModels.Encoder with { Positions = PositionEncoding.Learned }, seed: 4);
        string path = Path.Combine(_folder, "encoder.safetensors");
        encoder.Save(path);
        using ImageEncoder loaded = ImageEncoder.Load(path);
        Assert.AreEqual(encoder.Preprocessing, loaded.Preprocessing);
        Assert.AreEqual(encoder.Model.Config, loaded.Model.Config);
        CollectionAssert.AreEqual(Embed(encoder, images), Embed(loaded, images));
        CollectionAssert.AreEquivalent((string[])["encoder.json", "encoder.safetensors"], Directory.GetFiles(_folder).Select(Path.GetFileName).ToArray());
    }

    [TestMethod]
    public void AnEmbeddingDoesNotDependOnItsBatch()
    {
        using ImageStore images = TinyModels.Images(9);
        using ImageEncoder encoder = ImageEncoder.Create(TinyModels.Encoder);
        float[] together = Embed(encoder, images);
        var alone = new float[encoder.EmbedDim];
        for (int i = 0; i < 9; i++)
        {
            encoder.Embed(images[i], 1, alone);
            for (int d = 0; d < alone.Length; d++) Assert.AreEqual(together[i * alone.Length + d], alone[d], 1e-5);
        }
    }

    /// <summary>Each core embeds images of its own: in as many parts as may be, the last smaller, they are those that the model makes of all at once.</summary>
    [TestMethod]
    [DataRow(2, DisplayName = "too few for parts")]
    [DataRow(601)]
    public void EmbeddingsInPartsAreThoseOfTheModel(int count)
    {
        using ImageStore images = TinyModels.Images(count);
        using ImageEncoder encoder = ImageEncoder.Create(TinyModels.Encoder);
        using DisposeScope scope = NewDisposeScope();
        Tensor bytes = images.Batch([.. Enumerable.Range(0, count)]), embeddings = encoder.Embed(bytes);
        using var normalizer = new ImageNormalizer(encoder.Preprocessing, CPU);
        using (no_grad())
        {
            Tensor expected = encoder.Model.Pool(encoder.Model.forward(normalizer.Normalize(bytes)), Pooling.Mean);
            Assert.IsTrue(embeddings.allclose(expected, 1e-4, 1e-5));
        }
        Assert.IsFalse(embeddings.requires_grad);
        Assert.AreEqual(0.0, (embeddings - encoder.Embed(bytes)).abs().max().ToDouble(), "the same again");
    }

    [TestMethod]
    public void WhatAModelThrowsOnAnotherThreadReachesTheCaller()
    {
        using var encoder = ImageEncoder.Create(TinyModels.Encoder);
        using var model = new Failing(encoder.Model, encoder.Preprocessing);
        for (int i = 0; i < 3; i++) Assert.ThrowsExactly<NotSupportedException>(() => model.Run(600));
        encoder.Embed(new byte[4 * 16 * 16 * 3], 4, new float[4 * encoder.EmbedDim]);
    }

    private sealed class Failing(VisionTransformer model, ImagePreprocessing preprocessing) : ImageModel(model, preprocessing, null)
    {
        public void Run(int count) => Run(new byte[count * Preprocessing.ByteCount], count, new float[count], 1, _ => throw new NotSupportedException());
    }

    [TestMethod]
    public void ManyThreadsMayEmbedAtOnce()
    {
        using ImageStore images = TinyModels.Images(4);
        using ImageEncoder encoder = ImageEncoder.Create(TinyModels.Encoder);
        float[] expected = Embed(encoder, images);
        Parallel.For(0, 32, _ => CollectionAssert.AreEqual(expected, Embed(encoder, images)));
    }

    [TestMethod]
    public void WrongLengthsAndADisposedEncoderAreRefused()
    {
        ImageEncoder encoder = ImageEncoder.Create(TinyModels.Encoder);
        Assert.ThrowsExactly<ArgumentException>(() => encoder.Embed(new byte[10], 1, new float[32]));
        Assert.ThrowsExactly<ArgumentException>(() => encoder.Embed(new byte[16 * 16 * 3], 1, new float[31]));
        encoder.Dispose();
        Assert.ThrowsExactly<ObjectDisposedException>(() => encoder.Embed(new byte[16 * 16 * 3], 1, new float[32]));
    }

    [TestMethod]
    public void AMissingOrDamagedDescriptionIsNamed()
    {
        using ImageEncoder encoder = ImageEncoder.Create(TinyModels.Encoder);
        string path = Path.Combine(_folder, "encoder.safetensors"), description = Path.Combine(_folder, "encoder.json");
        encoder.Save(path);
        File.WriteAllText(description, "{ \"Encoder\": ");
        StringAssert.Contains(Assert.ThrowsExactly<InvalidDataException>(() => ImageEncoder.Load(path)).Message, "encoder.json");
        File.Delete(description);
        StringAssert.Contains(Assert.ThrowsExactly<FileNotFoundException>(() => ImageEncoder.Load(path)).Message, "encoder.json");
        StringAssert.Contains(Assert.ThrowsExactly<FileNotFoundException>(() => ImageClassifier.Load(_folder)).Message, $"{_folder} is a folder");
    }

    private static float[] Embed(ImageEncoder encoder, ImageStore images)
    {
        var bytes = new List<byte>();
        for (long i = 0; i < images.Count; i++) bytes.AddRange(images[i]);
        var embeddings = new float[images.Count * encoder.EmbedDim];
        encoder.Embed([.. bytes], (int)images.Count, embeddings);
        return embeddings;
    }
}
