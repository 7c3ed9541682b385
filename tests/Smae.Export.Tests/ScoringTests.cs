using Smae.Training;

namespace Smae.Export.Tests;

/// <summary>Batched scoring of exported files.</summary>
[TestClass]
public sealed class ScoringTests : IDisposable
{
    private const int Count = 11;
    private readonly TempFolder _folder = new();
    private readonly ImageEncoder _encoder = TinyModels.Encoder();
    private readonly ImageStore _images = TinyModels.Images(TinyModels.Config, Count);
    private readonly byte[] _bytes;
    private readonly float[] _expected = new float[Count * 32];

    public ScoringTests()
    {
        _bytes = TinyModels.Bytes(_images);
        _encoder.Embed(_bytes, Count, _expected);
    }

    private string Path => _folder.At("encoder.onnx");

    public void Dispose()
    {
        _encoder.Dispose();
        _images.Dispose();
        _folder.Dispose();
    }

    [TestMethod]
    [DataRow(OnnxInput.Bytes, 1)]
    [DataRow(OnnxInput.Bytes, 4)]
    [DataRow(OnnxInput.PlanarBytes, 4)]
    [DataRow(OnnxInput.NormalizedPlanes, 3)]
    [DataRow(OnnxInput.Bytes, 100)]
    public void AnyNumberOfImagesGoesThroughBatchesOfAnySize(OnnxInput input, int batchSize)
    {
        _encoder.ExportOnnx(Path, new OnnxExportOptions { Input = input });
        var options = new OnnxScoringOptions { BatchSize = batchSize, Threads = 1, WarmUp = batchSize == 4 };
        using OnnxImageModel model = OnnxImageModel.Load(Path, options);
        Assert.AreEqual((32, "embedding", OnnxDevice.Cpu, null), (model.OutputLength, model.OutputName, model.Device, model.FallbackReason));
        foreach (int count in (int[])[Count, 0, 1, 4, 5, Count])
        {
            var found = new float[count * 32];
            model.Run(_bytes.AsSpan(0, count * _encoder.Preprocessing.ByteCount), count, found);
            if (count > 0) Onnx.AssertClose(_expected[..(count * 32)], found, 1e-5, $"{count} images");
        }
        var all = new float[Count * 32];
        model.Run(_images, all);
        Onnx.AssertClose(_expected, all, 1e-5);
    }

    /// <summary>However many threads share a batch. What was loaded stays loaded, also for the session that the second call with few images opens.</summary>
    [TestMethod]
    [DataRow(2, "there")]
    [DataRow(5, "there")]
    [DataRow(64, "there")]
    [DataRow(3, "gone")]
    [DataRow(3, "another")]
    [DataRow(3, "int8")]
    [DataRow(3, "rubbish")]
    [DataRow(1, "rubbish")]
    public void AnyNumberOfThreadsGivesTheSame(int threads, string file)
    {
        _encoder.ExportOnnx(Path);
        using OnnxImageModel model = OnnxImageModel.Load(Path, new OnnxScoringOptions { BatchSize = 4, Threads = threads });
        if (file == "gone") File.Delete(Path);
        if (file == "int8") _encoder.ExportOnnx(Path, new OnnxExportOptions { Precision = OnnxPrecision.Int8 });
        if (file == "rubbish") File.WriteAllText(Path, "overwritten in place");
        if (file == "another")
        {
            using ImageEncoder other = TinyModels.Encoder(seed: 2);
            other.ExportOnnx(Path);
        }
        foreach (int count in (int[])[1, Count, 2, 1, 0, Count])
        {
            var found = new float[count * 32];
            model.Run(_bytes.AsSpan(0, count * _encoder.Preprocessing.ByteCount), count, found);
            if (count > 0) Onnx.AssertClose(_expected[..(count * 32)], found, 1e-5, $"{count} images");
        }
    }

    /// <summary>Threads that wait for the next image must not spin: a web service would pay for it between its requests.</summary>
    [TestMethod]
    public void IdleThreadsDoNotSpin()
    {
        string spin = RuntimeSession.CpuSettings["session.intra_op.spin_duration_us"];
        Assert.IsLessThanOrEqualTo(200, int.Parse(spin, System.Globalization.CultureInfo.InvariantCulture));
        _encoder.ExportOnnx(Path);
        byte[] file = File.ReadAllBytes(Path);
        using var session = RuntimeSession.OpenOnCpu(Path, file, threads: 2);   // ONNX Runtime takes the settings
        CollectionAssert.Contains(session.OutputNames.ToArray(), "embedding");
    }

    [TestMethod]
    public void ManyThreadsMayScoreAtOnce()
    {
        _encoder.ExportOnnx(Path);
        using OnnxImageModel model = OnnxImageModel.Load(Path, new OnnxScoringOptions { BatchSize = 3 });
        int size = _encoder.Preprocessing.ByteCount;
        Parallel.For(0, 64, new ParallelOptions { MaxDegreeOfParallelism = 8 }, i =>
        {
            int from = i % Count, count = 1 + i % (Count - from);
            var found = new float[count * 32];
            model.Run(_bytes.AsSpan(from * size, count * size), count, found);
            Onnx.AssertClose(_expected[(from * 32)..((from + count) * 32)], found, 1e-5, $"call {i}");
        });
    }

    [TestMethod]
    public void DisposingWaitsForCallsUnderWay()
    {
        _encoder.ExportOnnx(Path);
        OnnxImageModel model = OnnxImageModel.Load(Path, new OnnxScoringOptions { BatchSize = 1 });
        using var started = new CountdownEvent(4);
        // Threads of their own: those of the pool come one after the other, and each of these calls takes one for itself.
        Task[] calls = [.. Enumerable.Range(0, 4).Select(_ => Task.Factory.StartNew(() =>
        {
            var found = new float[Count * 32];
            bool first = true;
            while (true)
            {
                try
                {
                    model.Run(_bytes, Count, found);
                }
                catch (ObjectDisposedException)
                {
                    return;
                }
                Onnx.AssertClose(_expected, found, 1e-5);
                if (first) started.Signal();
                first = false;
            }
        }, TaskCreationOptions.LongRunning))];
        started.Wait();
        model.Dispose();
        model.Dispose();
        Task.WaitAll(calls);
    }

    [TestMethod]
    public void AClassifierGivesEitherOutput()
    {
        using ImageClassifier classifier = TinyModels.Classifier();
        classifier.ExportOnnx(Path);
        var expected = new float[Count * 3];
        classifier.Classify(_bytes, Count, expected);
        using OnnxImageModel model = OnnxImageModel.Load(Path), logits = OnnxImageModel.Load(Path, new OnnxScoringOptions { OutputName = "logits" });
        float[] probabilities = new float[Count * 3], scores = new float[Count * 3];
        model.Run(_bytes, Count, probabilities);
        logits.Run(_bytes, Count, scores);
        Onnx.AssertClose(expected, probabilities, 1e-5);
        Onnx.AssertClose(Onnx.Run(Path, "logits", Count, _bytes), scores, 1e-5);
        StringAssert.Contains(
            Assert.ThrowsExactly<ArgumentException>(() => OnnxImageModel.Load(Path, new OnnxScoringOptions { OutputName = "score" })).Message,
            "'probabilities', 'logits'");
    }

    [TestMethod]
    public void AnAutoencoderTakesMasks()
    {
        using MaskedAutoencoder autoencoder = TinyModels.Autoencoder();
        ImagePreprocessing p = _encoder.Preprocessing;
        autoencoder.ExportOnnx(Path, new MaePretrainOptions { Encoder = TinyModels.Config, Mean = p.Mean, StandardDeviation = p.StandardDeviation });
        var mask = new byte[Count * 24];
        for (int i = 0; i < mask.Length; i++) mask[i] = (byte)(i * 7 % 5 > 1 ? 1 : 0);
        using OnnxImageModel model = OnnxImageModel.Load(Path, new OnnxScoringOptions { BatchSize = 4, WarmUp = true });
        var found = new float[Count * model.OutputLength];
        model.Run(_bytes, mask, Count, found);
        Onnx.AssertClose(Onnx.Run(Path, "reconstruction", Count, _bytes, mask), found, 1e-5);
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => model.Run(_bytes, Count, found)).Message, "mask");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => model.Run(_bytes, mask.AsSpan(1), Count, found)).Message, "24 patches");
        _encoder.ExportOnnx(Path);
        using OnnxImageModel encoder = OnnxImageModel.Load(Path);
        Assert.ThrowsExactly<InvalidOperationException>(() => encoder.Run(_bytes, mask, Count, found));
    }

    [TestMethod]
    public void ImagesOfAnotherSizeAreRefused()
    {
        _encoder.ExportOnnx(Path);
        using OnnxImageModel model = OnnxImageModel.Load(Path);
        string message = Assert.ThrowsExactly<ArgumentException>(() => model.Run(new byte[2 * 16 * 16 * 3], 2, new float[64])).Message;
        StringAssert.Contains(message, "16x24 with 3 channels");
        StringAssert.Contains(message, "768 an image instead of 1152");
        using ImageStore other = TinyModels.Images(TinyModels.Config with { ImageHeight = 32 }, 1);
        message = Assert.ThrowsExactly<ArgumentException>(() => model.Run(other, new float[32])).Message;
        StringAssert.Contains(message, "32x24 with 3 channels");
        StringAssert.Contains(message, "16x24 with 3");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => model.Run(_bytes, Count, new float[32])).Message, "352 numbers, not 32");
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => model.Run([], -1, []));
        model.Dispose();
        Assert.ThrowsExactly<ObjectDisposedException>(() => model.Run(_bytes, Count, new float[Count * 32]));
    }

    [TestMethod]
    [DataRow(OnnxDevice.Cuda)]
    [DataRow(OnnxDevice.TensorRT)]
    public void ADeviceThatIsNotThereIsAnErrorOrAReason(OnnxDevice device)
    {
        _encoder.ExportOnnx(Path);
        var options = new OnnxScoringOptions { Device = device, DeviceId = 99 };   // no machine has so many
        string message = Assert.ThrowsExactly<InvalidOperationException>(() => OnnxImageModel.Load(Path, options)).Message;
        StringAssert.Contains(message, $"{device} (device 99) cannot be used");
        StringAssert.Contains(message, "FallbackToCpu");
        using OnnxImageModel model = OnnxImageModel.Load(Path, options with { FallbackToCpu = true });
        Assert.AreEqual(OnnxDevice.Cpu, model.Device);
        StringAssert.Contains(model.FallbackReason!, $"{device} (device 99) cannot be used");
        var found = new float[Count * 32];
        model.Run(_bytes, Count, found);
        Onnx.AssertClose(_expected, found, 1e-5);
    }

    [TestMethod]
    public void FilesAndOptionsThatAreWrongAreRefused()
    {
        Assert.ThrowsExactly<FileNotFoundException>(() => OnnxImageModel.Load(Path));
        string folder = System.IO.Path.GetDirectoryName(Path)!;
        StringAssert.Contains(Assert.ThrowsExactly<FileNotFoundException>(() => OnnxImageModel.Load(folder)).Message, $"{folder} is a folder");
        File.WriteAllText(Path, "nothing");
        Assert.ThrowsExactly<InvalidDataException>(() => OnnxImageModel.Load(Path));
        _encoder.ExportOnnx(Path);
        ModelProto model = Onnx.Load(Path);
        model.Graph.Node.RemoveAt(3);
        File.WriteAllBytes(Path, Google.Protobuf.MessageExtensions.ToByteArray(model));
        StringAssert.Contains(Assert.ThrowsExactly<InvalidDataException>(() => OnnxImageModel.Load(Path)).Message, "ONNX Runtime does not take");
        string message = Assert.ThrowsExactly<ArgumentException>(() => OnnxImageModel.Load(Path, new OnnxScoringOptions
        {
            Device = (OnnxDevice)9, DeviceId = -1, BatchSize = 0, Threads = 0,
        })).Message;
        foreach (string part in (string[])["Device is 9", "DeviceId is -1", "BatchSize is 0", "Threads is 0"]) StringAssert.Contains(message, part);
    }
}
