using BenchmarkDotNet.Attributes;
using Microsoft.ML;
using Smae.MLNet;
using Smae.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Benchmarks;

/// <summary>The parts that a batch of 128 images of 64x64 is made by, one by one, and the decoding of a file.</summary>
[MemoryDiagnoser]
public class DataBenchmarks
{
    private const int Batch = 128, Size = 64;
    private static readonly Augmentation s_flip = Augmentation.HorizontalFlip(), s_crop = Augmentation.RandomResizedCrop(0.2, 1);
    private readonly ImagePreprocessing _preprocessing = new() { Height = Size, Width = Size };
    private readonly Masking _random = Masking.Random(0.75), _block = Masking.Block(0.5);
    private readonly long[] _indices = new long[Batch];
    private MLContext _ml = null!;
    private DrawnImages _files = null!;
    private IDataView _oneFile = null!;
    private ImageStore _store = null!;
    private ImageNormalizer _normalizer = null!;
    private Generator _generator = null!;
    private Tensor _bytes = null!, _units = null!;
    private long _seed;

    [GlobalSetup]
    public void Setup()
    {
        NativeTuning.Apply();
        _ml = new MLContext(seed: 1);
        _files = new DrawnImages(1, Size, Size);
        _oneFile = _ml.Data.LoadFromEnumerable(_files.Files.Select(path => new FileRow { Path = path }).ToList());
        var random = new Random(1);
        _store = new ImageStore(Size, Size);
        for (int i = 0; i < 8 * Batch; i++) random.NextBytes(_store.Add());
        for (int i = 0; i < Batch; i++) _indices[i] = random.Next((int)_store.Count);
        _normalizer = new ImageNormalizer(_preprocessing, CPU);
        _generator = new Generator(1);
        _bytes = _store.Batch(_indices);
        _units = _normalizer.ToUnits(_bytes);
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _store.Dispose();
        _normalizer.Dispose();
        _generator.Dispose();
        _bytes.Dispose();
        _units.Dispose();
        _files.Dispose();
    }

    /// <summary>With all that comes with a data view of one row.</summary>
    [Benchmark(Description = "decode a file of 64x64")]
    public long Decode()
    {
        using ImageStore store = _ml.Data.LoadImageStore(_oneFile, nameof(FileRow.Path), _preprocessing);
        return store.Count;
    }

    [Benchmark(Description = "gather a batch")]
    public void Gather() => _store.Batch(_indices).Dispose();

    [Benchmark(Description = "normalise a batch")]
    public void Normalize()
    {
        using DisposeScope scope = NewDisposeScope();
        _normalizer.Normalize(_bytes);
    }

    [Benchmark(Description = "draw random masks")]
    public void RandomMasks() => Draw(_random);

    [Benchmark(Description = "draw masks of blocks")]
    public void BlockMasks() => Draw(_block);

    [Benchmark(Description = "flip a batch")]
    public void Flip() => Augment(s_flip);

    [Benchmark(Description = "crop and resize a batch")]
    public void Crop() => Augment(s_crop);

    private void Draw(Masking masking)
    {
        using DisposeScope scope = NewDisposeScope();
        masking.Draw(Batch, Size / 4, Size / 4, _generator);
    }

    private void Augment(Augmentation augmentation)
    {
        using DisposeScope scope = NewDisposeScope();
        augmentation.Apply(_units, _seed++);
    }

    private sealed class FileRow
    {
        public string Path { get; set; } = "";
    }
}
