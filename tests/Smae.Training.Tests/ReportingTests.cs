using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

[TestClass]
public sealed class ReportingTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("smae-reporting-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [TestMethod]
    public void ChecksOfEventFilesAreThePublishedCrc32C()
    {
        static uint Unmasked(ReadOnlySpan<byte> data) => uint.RotateLeft(unchecked(EventFile.Masked(data) - 0xA282EAD8), 15);
        Assert.AreEqual(0xE3069283, Unmasked("123456789"u8));
        Assert.AreEqual(0x8A9136AA, Unmasked(new byte[32]));                                  // RFC 3720, B.4
        Assert.AreEqual(0x46DD794Eu, Unmasked([.. Enumerable.Range(0, 32).Select(i => (byte)i)]));
    }

    [TestMethod]
    [DataRow(1)]
    [DataRow(3)]
    [DataRow(4)]
    public void APictureIsReadBackAsItWasWritten(int channels)
    {
        byte[] pixels = new byte[7 * 5 * channels];
        new Random(channels).NextBytes(pixels);
        string path = Path.Combine(_folder, "picture.png");
        PngWriter.Save(path, 7, 5, pixels);
        (int width, int height, int read, byte[] decoded) = DecodePng(File.ReadAllBytes(path));
        Assert.AreEqual((7, 5, channels), (width, height, read));
        CollectionAssert.AreEqual(pixels, decoded);
    }

    [TestMethod]
    [DataRow(0, 5, 0)]
    [DataRow(2, 2, 8)]
    [DataRow(2, 2, 13)]
    public void BytesThatAreNoPictureAreRefused(int width, int height, int bytes)
    {
        string path = Path.Combine(_folder, "picture.png");
        Assert.ThrowsExactly<ArgumentException>(() => PngWriter.Save(path, width, height, new byte[bytes]));
        Assert.IsFalse(File.Exists(path));
    }

    [TestMethod]
    public void AReconstructionIsSavedAsItIsDrawn()
    {
        using ImageStore images = TinyModels.Images(3);
        using var model = new MaskedAutoencoder(TinyModels.Encoder);
        string path = Path.Combine(_folder, "reconstruction.png");
        ReconstructionGrid.Save(path, model, images, [0, 2], TinyModels.Options);
        (int width, int height, byte[] rgba) = ReconstructionGrid.Draw(model, images, [0, 2], TinyModels.Options);
        (int savedWidth, int savedHeight, _, byte[] saved) = DecodePng(File.ReadAllBytes(path));
        Assert.AreEqual((width, height), (savedWidth, savedHeight));
        CollectionAssert.AreEqual(rgba, saved);
    }

    [TestMethod]
    [DataRow(ClassToken.First)]
    [DataRow(ClassToken.Last)]
    public void AttentionIsWhatTheLastBlockMixesBy(ClassToken where)
    {
        using DisposeScope scope = NewDisposeScope();
        VisionTransformerConfig config = TinyModels.Encoder with { ClassToken = where, ImageWidth = 24, Depth = 1, NumHeads = 1, FinalNorm = false };
        using var model = new VisionTransformer(config);
        var weights = ModelWeights.Of(model).ToDictionary(w => w.Name, w => w.Tensor);
        using (no_grad())
        {
            weights["blocks.0.mlp.fc2.weight"].zero_();   // what is left of the block is the attention
            weights["cls_token"].normal_();
        }
        Tensor images = randn(2, 3, 16, 24);
        Tensor attention = model.ClassTokenAttention(images);
        CollectionAssert.AreEqual(new long[] { 2, 1, 4, 6 }, attention.shape);
        Assert.IsTrue(attention.min().ToDouble() > 0 && attention.sum(new long[] { 1, 2, 3 }).max().ToDouble() < 1);

        // By hand, token by token: softmax of q k / sqrt(d) for the class token, over the patches.
        Tensor projection = weights["patch_embed.proj.weight"].permute(0, 2, 3, 1).reshape(32, -1);
        Tensor patches = nn.functional.linear(model.CutIntoPatches(images), projection, weights["patch_embed.proj.bias"]);
        Tensor positions = weights["pos_embed"], token = weights["cls_token"].expand(2, -1, -1);
        Tensor x = where == ClassToken.First ? cat([token, patches], 1) + positions : cat([patches + positions, token], 1);
        Tensor normed = nn.functional.layer_norm(x, [32], eps: 1e-6);
        Tensor qkv = nn.functional.linear(normed, weights["blocks.0.attn.qkv.weight"], weights["blocks.0.attn.qkv.bias"]);
        int at = where == ClassToken.First ? 0 : 24, from = where == ClassToken.First ? 1 : 0;
        Tensor scores = (qkv.narrow(1, at, 1).narrow(2, 0, 32) * qkv.narrow(2, 32, 32)).sum(2) / Math.Sqrt(32);
        Close.To(scores.softmax(1).narrow(1, from, 24).view(2, 1, 4, 6), attention, 1e-5, "attention");
    }

    [TestMethod]
    public void AttentionMapsAreSavedWithAColumnForEachHead()
    {
        using ImageStore images = TinyModels.Images(3);
        using ImageEncoder encoder = ImageEncoder.Create(TinyModels.Encoder);
        string path = Path.Combine(_folder, "attention.png");
        AttentionMaps.Save(path, encoder, images, [0, 1, 2], scale: 1);
        (int width, int height, int channels, byte[] pixels) = DecodePng(File.ReadAllBytes(path));
        Assert.AreEqual((3 * 20 + 4, 3 * 20 + 4, 4), (width, height, channels));
        for (int row = 0; row < 3; row++)   // the first column is the images themselves
            for (int y = 0; y < 16; y++)
                for (int x = 0; x < 16; x++)
                    Assert.IsTrue(images[row].Slice((y * 16 + x) * 3, 3).SequenceEqual(pixels.AsSpan(((row * 20 + 4 + y) * width + 4 + x) * 4, 3)));
    }

    [TestMethod]
    public void WithoutAClassTokenThereIsNoAttentionOfIt()
    {
        using ImageStore images = TinyModels.Images(1);
        using ImageEncoder encoder = ImageEncoder.Create(TinyModels.Encoder with { ClassToken = ClassToken.None });
        string path = Path.Combine(_folder, "attention.png");
        var e = Assert.ThrowsExactly<InvalidOperationException>(() => AttentionMaps.Save(path, encoder, images, [0]));
        StringAssert.Contains(e.Message, "no class token");
        Assert.IsFalse(File.Exists(path));
    }

    /// <summary>A PNG reader that shares nothing with the writer: signature, chunks with their checks, zlib, the filter of each line.</summary>
    private static (int Width, int Height, int Channels, byte[] Pixels) DecodePng(byte[] file)
    {
        CollectionAssert.AreEqual(new byte[] { 137, 80, 78, 71, 13, 10, 26, 10 }, file[..8]);
        var chunks = new List<(string Name, byte[] Data)>();
        for (int at = 8; at < file.Length;)
        {
            int length = BinaryPrimitives.ReadInt32BigEndian(file.AsSpan(at));
            byte[] named = file[(at + 4)..(at + 8 + length)];
            Assert.AreEqual(BitwiseCrc(named, 0xEDB88320), BinaryPrimitives.ReadUInt32BigEndian(file.AsSpan(at + 8 + length)));
            chunks.Add((Encoding.ASCII.GetString(named, 0, 4), named[4..]));
            at += 12 + length;
        }
        Assert.AreEqual(("IHDR", "IEND"), (chunks[0].Name, chunks[^1].Name));
        byte[] header = chunks[0].Data;
        int width = BinaryPrimitives.ReadInt32BigEndian(header), height = BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(4));
        CollectionAssert.AreEqual(new byte[] { 8, header[9], 0, 0, 0 }, header[8..]);
        int channels = header[9] switch { 0 => 1, 2 => 3, 6 => 4, _ => throw new AssertFailedException($"colour type {header[9]}") };
        byte[] packed = [.. chunks.Where(c => c.Name == "IDAT").SelectMany(c => c.Data)];
        using var raw = new MemoryStream();
        using (var inflate = new ZLibStream(new MemoryStream(packed), CompressionMode.Decompress)) inflate.CopyTo(raw);
        byte[][] lines = [.. raw.ToArray().Chunk(width * channels + 1)];
        Assert.HasCount(height, lines);
        byte[] pixels = new byte[height * width * channels];
        for (int y = 0; y < height; y++)
        for (int x = 0; x < width * channels; x++)
        {
            int At(int row, int place) => row < 0 || place < 0 ? 0 : pixels[row * width * channels + place];
            int left = At(y, x - channels), up = At(y - 1, x), corner = x < channels ? 0 : At(y - 1, x - channels);
            int[] off = [Math.Abs(up - corner), Math.Abs(left - corner), Math.Abs(left + up - 2 * corner)];
            int paeth = off[0] <= off[1] && off[0] <= off[2] ? left : off[1] <= off[2] ? up : corner;
            pixels[y * width * channels + x] = (byte)(lines[y][x + 1] + lines[y][0] switch { 0 => 0, 1 => left, 2 => up, 3 => (left + up) / 2, _ => paeth });
        }
        return (width, height, channels, pixels);
    }

    internal static uint BitwiseCrc(ReadOnlySpan<byte> data, uint polynomial)
    {
        uint crc = ~0u;
        foreach (byte b in data)
        {
            crc ^= b;
            for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ ((crc & 1) * polynomial);
        }
        return ~crc;
    }
}
