using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.NoEmit;

namespace Smae.Benchmarks;

/// <summary>Small parts under BenchmarkDotNet. Whole steps are compared between processes instead, which BenchmarkDotNet does not do.</summary>
internal sealed class MicroBenchmarks : IBenchmark
{
    public string Name => "micro";

    public string Description => "Parts of making a batch, under BenchmarkDotNet.";

    public void Run(BenchmarkContext context)
    {
        // In this process: the projects that BenchmarkDotNet generates would not know which packages and native libraries this build took.
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
