using System.Net.Sockets;
using System.Runtime.InteropServices;
using Smae.Training;

namespace Smae.MLNet.Tests;

/// <summary>What else than files lies in folders under an image's name: each is a broken image that is told, and none is waited for.</summary>
[TestClass]
public sealed class SpecialFilesTests : EmbeddingFixture
{
    private const int Minute = 60_000;

    private readonly LogRecorder _log;
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

    public SpecialFilesTests() => _log = new LogRecorder(Context);

    [TestMethod]
    [Timeout(Minute)]
    [DataRow(BrokenImagePolicy.Skip)]
    [DataRow(BrokenImagePolicy.Fail)]
    public void Pipes_sockets_devices_and_links_to_nothing_are_broken_images_with_their_name(BrokenImagePolicy policy)
    {
        string[] special = Make();
        IDataView rows = Context.Data.LoadImageFolder(At("special"));
        CollectionAssert.AreEquivalent((string[])["good.png", .. special], rows.GetColumn<string>("ImagePath").Select(path => Path.GetFileName(path)!).ToArray());
        if (policy == BrokenImagePolicy.Fail)
        {
            string message = Assert.ThrowsExactly<InvalidDataException>(() => Context.Data.LoadImageStore(rows, "ImagePath", TestModels.Preprocessing)).Message;
            StringAssert.Contains(message, At("special"));
            return;
        }
        using ImageStore store = Context.Data.LoadImageStore(rows, "ImagePath", TestModels.Preprocessing, new ImageReadOptions { BrokenImages = policy });
        Assert.AreEqual(1, store.Count);
        foreach (string name in special) Assert.IsTrue(_log.Warnings.Any(warning => warning.Contains($"{At("special", name)}: ", StringComparison.Ordinal)), name);

        Encoder.ExportOnnx(At("encoder.onnx"));
        IEstimator<ITransformer>[] estimators =
        [
            Context.Transforms.MaeEmbedding("Embedding", "ImagePath", Encoder, errorColumnName: "Error"),
            Context.Transforms.OnnxEmbedding("Embedding", "ImagePath", At("encoder.onnx"), errorColumnName: "Error"),
        ];
        foreach (IEstimator<ITransformer> estimator in estimators)
        {
            List<Row> embedded = Read<Row>(estimator.Fit(rows).Transform(rows));
            foreach (Row row in embedded)
            {
                bool isGood = row.ImagePath.EndsWith("good.png", StringComparison.Ordinal);
                Assert.AreEqual(isGood, row.Error.Length == 0 && row.Embedding.All(float.IsFinite), row.Error);
                if (!isGood) StringAssert.Contains(row.Error, row.ImagePath);
            }
        }
    }

    [TestCleanup]
    public void CloseSocket() => _socket.Dispose();

    /// <summary>Makes one of each kind beside an image, in the folder "special", and gives their names.</summary>
    private string[] Make()
    {
        if (OperatingSystem.IsWindows()) Assert.Inconclusive("Windows has no pipes in folders.");
        File.Copy(AnyImage(), At("special", "good.png"));
        Assert.AreEqual(0, MakePipe(At("special", "pipe.png"), 0x1B6));
        Assert.AreEqual(0, MakePipe(At("special", "pipe without an ending"), 0x1B6));
        _socket.Bind(new UnixDomainSocketEndPoint(At("special", "socket.png")));
        (string Name, string Target)[] links =
        [
            ("to pipe.png", "pipe.png"), ("to device.png", "/dev/zero"), ("to nothing.png", "nothing"), ("a.png", "b.png"), ("b.png", "a.png"), ("to pipe", "pipe.png"),
        ];
        foreach ((string name, string target) in links) File.CreateSymbolicLink(At("special", name), target);
        Directory.CreateSymbolicLink(At("special", "parent"), "..");
        return ["pipe.png", "socket.png", .. links.Select(link => link.Name).Where(name => name.EndsWith(".png", StringComparison.Ordinal))];
    }

    [DllImport("libc", EntryPoint = "mkfifo", CharSet = CharSet.Ansi)]
    private static extern int MakePipe(string path, uint mode);

    private sealed class Row
    {
        public string ImagePath { get; set; } = "";

        public string Error { get; set; } = "";

        [VectorType(TestModels.Width)]
        public float[] Embedding { get; set; } = [];
    }
}
