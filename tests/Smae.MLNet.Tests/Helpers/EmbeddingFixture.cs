using Smae.Training;

namespace Smae.MLNet.Tests;

/// <summary>A folder of drawn images and an encoder to embed them with.</summary>
public abstract class EmbeddingFixture : IDisposable
{
    /// <summary>Images in the folder: more than two full batches.</summary>
    protected const int Count = 150;

    private readonly TempFolder _folder = new();

    protected EmbeddingFixture()
    {
        TestImages.WriteFolder(_folder, Count);
        Images = Context.Data.LoadImageFolder(_folder.Path);
    }

    protected MLContext Context { get; } = new(seed: 1);

    protected ImageEncoder Encoder { get; } = TestModels.Encoder();

    /// <summary>The images of the folder: ImagePath and Label.</summary>
    protected IDataView Images { get; }

    public void Dispose()
    {
        Encoder.Dispose();
        _folder.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>A path in the folder.</summary>
    protected string At(params string[] parts) => _folder.At(parts);

    protected string AnyImage() => At("disc", "image000.png");

    protected IDataView Embed(IDataView data, BrokenImagePolicy policy = BrokenImagePolicy.Skip) =>
        Context.Transforms.MaeEmbedding("Embedding", "ImagePath", Encoder, policy).Fit(data).Transform(data);

    protected List<T> Read<T>(IDataView data) where T : class, new() => [.. Context.Data.CreateEnumerable<T>(data, reuseRowObject: false)];

    /// <summary>What the encoder makes of an image file, without ML.NET's pipelines.</summary>
    protected float[] Expected(string path)
    {
        byte[] pixels = new byte[Encoder.Preprocessing.ByteCount];
        Assert.IsNull(new ImageDecoders(Encoder.Preprocessing).Rent().DecodeFile(path, pixels));
        float[] embedding = new float[Encoder.EmbedDim];
        Encoder.Embed(pixels, 1, embedding);
        return embedding;
    }

    protected static void AssertClose(float[] expected, float[] found, string what)
    {
        Assert.HasCount(expected.Length, found);
        for (int i = 0; i < expected.Length; i++)
            Assert.AreEqual(expected[i], found[i], 1e-4f, what);
    }

    protected sealed class EmbeddedRow
    {
        public string ImagePath { get; set; } = "";

        public string Label { get; set; } = "";

        [VectorType(TestModels.Width)]
        public float[] Embedding { get; set; } = [];
    }
}
