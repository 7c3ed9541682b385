using System.CommandLine;
using Spectre.Console;

namespace Smae.Benchmarks;

/// <summary>The commands, one for each benchmark and one for all, with the options that they share.</summary>
internal static class BenchmarkCommands
{
    private static readonly IBenchmark[] s_train = [new TrainBenchmark("train"), new TrainBenchmark("smae")];
    private static readonly IBenchmark[] s_benchmarks =
    [
        .. s_train, new EncodeBenchmark(), new ScoringBenchmark(), new FeedingBenchmark(), new MemoryBenchmark(), new ScalingBenchmark(),
    ];

    public static IEnumerable<Command> All()
    {
        yield return Create("train", "train-mae, then train-smae.", s_train);
        foreach (IBenchmark benchmark in s_benchmarks) yield return Create(benchmark.Name, benchmark.Description, [benchmark]);
        var micro = new MicroBenchmarks();
        yield return Create(micro.Name, micro.Description, [micro]);
        yield return Create("all", "All but micro, one after the other.", s_benchmarks);
    }

    private static Command Create(string name, string description, IReadOnlyList<IBenchmark> benchmarks)
    {
        var json = new Option<FileInfo?>("--json") { Description = "File for the figures and measurements as JSON." };
        var rounds = new Option<int?>("--rounds") { Description = "Rounds that count, after a warm-up that does not. Default: each benchmark's own." };
        var batch = new Option<int?>("--batch") { Description = "Images in a step. Default: each benchmark's own." };
        var quick = new Option<bool>("--quick") { Description = "As small as can be: to see whether it runs. Its figures mean nothing." };
        var device = new Option<string>("--device") { Description = "Where to train and encode: cpu or cuda.", DefaultValueFactory = _ => "cpu" };
        var noPyTorch = new Option<bool>("--no-pytorch") { Description = "Leave PyTorch out." };
        var images = new Option<DirectoryInfo>("--images") { Description = "Folder of JPEG files to decode. Default: drawn ones." };
        var plot = new Option<FileInfo?>("--plot") { Description = "SVG file for the plot of how time grows." };
        device.AcceptOnlyFromAmong("cpu", "cuda");
        images.AcceptExistingOnly();
        foreach (Option<int?> option in (Option<int?>[])[rounds, batch])
            option.Validators.Add(result =>
            {
                if (result.GetValueOrDefault<int?>() < 1) result.AddError($"{option.Name} is {result.GetValueOrDefault<int?>()}: expected at least 1.");
            });
        var command = new Command(name, description) { json, rounds, batch, quick, device, noPyTorch, images, plot };
        command.SetAction(parsed => Run(benchmarks, parsed.GetValue(json), new BenchmarkContext(pyTorch: !parsed.GetValue(noPyTorch))
        {
            Rounds = parsed.GetValue(rounds), Batch = parsed.GetValue(batch), Quick = parsed.GetValue(quick), Device = parsed.GetValue(device)!,
            Images = parsed.GetValue(images), Plot = parsed.GetValue(plot),
        }));
        return command;
    }

    private static void Run(IReadOnlyList<IBenchmark> benchmarks, FileInfo? json, BenchmarkContext context)
    {
        if (Console.IsOutputRedirected)
        {
            AnsiConsole.Profile.Width = 180;   // a file has no width of its own, and no colours
            AnsiConsole.Profile.Capabilities.Ansi = false;
        }
        IReadOnlyDictionary<string, string> machine = MachineInfo.Describe(context.Peer?.Version);
        foreach ((string name, string value) in machine) AnsiConsole.WriteLine($"{name}: {value}");
        foreach (IBenchmark benchmark in benchmarks)
        {
            benchmark.Run(context);
            if (json is not null) context.Report.Save(json.FullName, machine);   // after each: a long run that is cut short leaves what it has
        }
    }
}
