namespace Smae.Training.Tests;

/// <summary>A model that has been disposed is an error that says so: no file without weights, no message about tensors.</summary>
[TestClass]
public sealed class DisposedModelTests
{
    [TestMethod]
    public void NothingIsSavedOrDrawnOfIt()
    {
        string path = Path.Combine(Path.GetTempPath(), $"smae-{Guid.NewGuid():N}");
        using ImageStore images = TinyModels.Images(2);
        ImageEncoder encoder = ImageEncoder.Create(TinyModels.Encoder, seed: 1);
        var autoencoder = new MaskedAutoencoder(TinyModels.Options.Encoder, TinyModels.Options.Decoder, seed: 1);
        var network = new SqueezeNet(classes: 2, seed: 1);
        foreach (IDisposable model in new IDisposable[] { encoder, autoencoder, network }) model.Dispose();
        foreach (Action use in new Action[]
        {
            () => encoder.Save(path), () => network.Save(path), () => SafeTensors.Save(path, ModelWeights.Of(autoencoder)),
            () => SafeTensors.Save(path, ModelWeights.Of(encoder.Model)), () => AttentionMaps.Draw(encoder, images, [0]),
            () => ReconstructionGrid.Draw(autoencoder, images, [0], TinyModels.Options),
        }) Assert.ThrowsExactly<ObjectDisposedException>(use);
        Assert.IsFalse(File.Exists(path));
    }
}
