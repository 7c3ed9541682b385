using System.CommandLine;
using Examples;
using Spectre.Console;

namespace Smae.Benchmarks;

/// <summary>The command line: a command for each benchmark.</summary>
internal static class Commands
{
    public static int Run(string[] args)
    {
        var json = new Option<FileInfo?>("--json") { Description = "File for the figures and measurements as JSON." };
        var rounds = new Option<int?>("--rounds") { Description = "Rounds that count. Default: each benchmark's own, 3 or 5." }
            .Require(count => count >= 1, "a whole number, at least 1");
        var batch = new Option<int?>("--batch") { Description = "Images in a step. Default: each benchmark's own." }
            .Require(count => count >= 1, "a whole number, at least 1");
        var quick = new Option<bool>("--quick") { Description = "As small as can be: to see whether it runs. Its figures mean nothing." };
        var device = new Option<string>("--device") { Description = "Where to train and encode: cpu or cuda.", DefaultValueFactory = _ => "cpu" };
        var noPyTorch = new Option<bool>("--no-pytorch") { Description = "Leave PyTorch out." };
        var images = new Option<DirectoryInfo>("--images") { Description = "feeding, decode: folder of JPEG files to decode. Default: drawn ones." };
        var model = new Option<string>("--model")
        {
            Description = "What is trained, run and started by train, fine-tune, encode, scoring and startup: ViT-Lite-7/4 at 64x64, or ViT-S/16 at 224x224, "
                + "with batches a quarter as large.",
            DefaultValueFactory = _ => ModelShape.Named.Keys.First(),
        };
        device.AcceptOnlyFromAmong("cpu", "cuda");
        model.AcceptOnlyFromAmong([.. ModelShape.Named.Keys]);
        images.AcceptExistingOnly();

        IBenchmark[] train = [new TrainBenchmark("train"), new TrainBenchmark("smae")];
        IBenchmark[] all =
        [
            .. train, new FineTuneBenchmark(), new EncodeBenchmark(), new ScoringBenchmark(), new StartupBenchmark(), new FeedingBenchmark(), new DecodeBenchmark(),
            new MemoryBenchmark(), new ScalingBenchmark(), new DistributedBenchmark(),
        ];
        var root = new RootCommand("How fast Smae is, and against what.");
        Add("train", "train-mae, then train-smae.", train);
        foreach (IBenchmark one in all) Add(one.Name, one.Description, [one]);
        Add("all", "All of these, one after the other.", all);
        return root.Parse(args).Invoke();

        void Add(string name, string description, IReadOnlyList<IBenchmark> benchmarks)
        {
            var command = new Command(name, description) { json, rounds, batch, quick, device, model, noPyTorch, images };
            command.SetAction(parsed =>
            {
                bool compares = benchmarks.Any(b => b is TrainBenchmark or EncodeBenchmark) && !parsed.GetValue(noPyTorch);
                Run(benchmarks, parsed.GetValue(json), new BenchmarkContext
                {
                    Rounds = parsed.GetValue(rounds), Batch = parsed.GetValue(batch), Quick = parsed.GetValue(quick), Device = parsed.GetValue(device)!,
                    Model = ModelShape.Named[parsed.GetValue(model)!],
                    Images = parsed.GetValue(images), PyTorch = compares ? PyTorchPeer.Find(Console.Error.WriteLine) : null,
                });
            });
            root.Add(command);
        }
    }

    private static void Run(IReadOnlyList<IBenchmark> benchmarks, FileInfo? json, BenchmarkContext context)
    {
        if (Console.IsOutputRedirected)
        {
            AnsiConsole.Profile.Width = 180;   // a file has no width of its own, and no colours
            AnsiConsole.Profile.Capabilities.Ansi = false;
        }
        IReadOnlyDictionary<string, string> machine = MachineInfo.Describe(context.PyTorch?.Version);
        foreach ((string name, string value) in machine) AnsiConsole.WriteLine($"{name}: {value}");
        if (!context.HasBFloat16) context.Say("bfloat16 is left out: this processor has no instructions for it.");
        foreach (IBenchmark benchmark in benchmarks)
        {
            benchmark.Run(context);
            if (json is not null) context.Report.Save(json.FullName, machine);   // after each: a long run that is cut short leaves what it has
        }
    }
}
