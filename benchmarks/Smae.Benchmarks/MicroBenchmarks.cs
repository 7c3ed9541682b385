using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.NoEmit;
using Microsoft.ML;
using Smae.MLNet;
using Smae.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Benchmarks;

/// <summary>Small parts under BenchmarkDotNet. Whole steps are compared between processes instead, which BenchmarkDotNet does not do.</summary>
internal sealed class MicroBenchmarks : IBenchmark
{
    public string Name => "micro";

    public string Description => "Parts of making a batch, under BenchmarkDotNet.";

    public void Run(BenchmarkContext context)
    {
        // In this process: the projects that BenchmarkDotNet generates would not know which native libraries this build took.
        Job job = (context.Quick ? Job.Dry : Job.ShortRun).WithToolchain(InProcessNoEmitToolchain.Instance);
        ManualConfig config = ManualConfig.CreateEmpty().AddJob(job).AddColumnProvider(DefaultColumnProviders.Instance)
            .AddLogger(ConsoleLogger.Default).WithOptions(ConfigOptions.DisableLogFile)
            .WithArtifactsPath(Path.Combine(Path.GetTempPath(), "smae-benchmarkdotnet"));
        Summary summary = BenchmarkRunner.Run<DataBenchmarks>(config);
        if (summary.Reports.Length == 0 || summary.Reports.Any(report => !report.Success))
            throw new InvalidOperationException("A benchmark failed, see above.");
        context.Report.AddMeasurements(Name, summary.Reports.Select(report => new
        {
            Name = report.BenchmarkCase.Descriptor.WorkloadMethodDisplayInfo.Trim('\''), Nanoseconds = report.ResultStatistics?.Median,
            ManagedBytes = report.GcStats.GetBytesAllocatedPerOperation(report.BenchmarkCase),
        }));
        foreach (BenchmarkDotNet.Reports.BenchmarkReport report in summary.Reports)
            if (report.ResultStatistics is { } statistics)
                context.Report.Add($"micro{report.BenchmarkCase.Descriptor.WorkloadMethod.Name}Microseconds", statistics.Median / 1000);
    }
}

/// <summary>The parts that a batch of 128 images of 64x64 is made by, one by one, and the decoding of a file.</summary>
[MemoryDiagnoser]
public class DataBenchmarks
{
    private const int Batch = 128, Size = 64;
    private static readonly Augmentation s_flip = Augmentation.HorizontalFlip(), s_crop = Augmentation.RandomResizedCrop(0.2, 1);
    private readonly Masking _random = Masking.Random(0.75), _block = Masking.Block(0.5);
    private readonly MLContext _ml = new(seed: 1);
    private readonly long[] _indices = new long[Batch];
    private DrawnImages _files = null!;
    private IDataView _oneFile = null!;
    private ImageStore _store = null!;
    private Generator _generator = null!;
    private Tensor _units = null!;
    private long _seed;

    [GlobalSetup]
    public void Setup()
    {
        NativeTuning.Apply();
        _files = new DrawnImages(1, Size, Size);
        _oneFile = _ml.Data.LoadFromEnumerable(_files.Files.Select(path => new FileRow { Path = path }).ToList());
        var random = new Random(1);
        _store = new ImageStore(Size, Size);
        for (int i = 0; i < 8 * Batch; i++) random.NextBytes(_store.Add());
        for (int i = 0; i < Batch; i++) _indices[i] = random.NextInt64(_store.Count);
        _generator = new Generator(1);
        _units = rand(Batch, 3, Size, Size);
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        foreach (IDisposable one in (IDisposable[])[_store, _generator, _units, _files]) one.Dispose();
    }

    /// <summary>With all that comes with a data view of one row.</summary>
    [Benchmark(Description = "decode a file of 64x64")]
    public long Decode()
    {
        using ImageStore store = _ml.Data.LoadImageStore(_oneFile, nameof(FileRow.Path), new ImagePreprocessing { Height = Size, Width = Size });
        return store.Count;
    }

    [Benchmark(Description = "gather a batch")]
    public void Gather() => _store.Batch(_indices).Dispose();

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
}
