using System.CommandLine;
using System.Text.Json;
using Smae.Benchmarks;
using Spectre.Console;

if (args is ["side", var settings])   // one side of a comparison, started by another of these processes
{
    SmaeSide.Run(JsonSerializer.Deserialize<SideSettings>(settings, SideSettings.Json)!);
    return 0;
}

var json = new Option<FileInfo?>("--json") { Description = "File for the figures and measurements as JSON." };
var rounds = new Option<int?>("--rounds") { Description = "Rounds that count. Default: each benchmark's own, 3 or 5." };
var batch = new Option<int?>("--batch") { Description = "Images in a step. Default: each benchmark's own." };
var quick = new Option<bool>("--quick") { Description = "As small as can be: to see whether it runs. Its figures mean nothing." };
var device = new Option<string>("--device") { Description = "Where to train and encode: cpu or cuda.", DefaultValueFactory = _ => "cpu" };
var noPyTorch = new Option<bool>("--no-pytorch") { Description = "Leave PyTorch out." };
var images = new Option<DirectoryInfo>("--images") { Description = "feeding, decode: folder of JPEG files to decode. Default: drawn ones." };
device.AcceptOnlyFromAmong("cpu", "cuda");
images.AcceptExistingOnly();
foreach (Option<int?> option in (Option<int?>[])[rounds, batch])
    option.Validators.Add(result =>
    {
        if (result.GetValueOrDefault<int?>() < 1) result.AddError($"{option.Name} is {result.GetValueOrDefault<int?>()}: expected at least 1.");
    });

IBenchmark[] train = [new TrainBenchmark("train"), new TrainBenchmark("smae")];
IBenchmark[] all = [.. train, new EncodeBenchmark(), new ScoringBenchmark(), new FeedingBenchmark(), new DecodeBenchmark(), new MemoryBenchmark(), new ScalingBenchmark(), new DistributedBenchmark()];
var root = new RootCommand("How fast Smae is, and against what.");
Add("train", "train-mae, then train-smae.", train);
foreach (IBenchmark one in all) Add(one.Name, one.Description, [one]);
Add("all", "All of these, one after the other.", all);
return root.Parse(args).Invoke();

void Add(string name, string description, IReadOnlyList<IBenchmark> benchmarks)
{
    var command = new Command(name, description) { json, rounds, batch, quick, device, noPyTorch, images };
    command.SetAction(parsed =>
    {
        bool compares = benchmarks.Any(b => b is TrainBenchmark or EncodeBenchmark) && !parsed.GetValue(noPyTorch);
        Run(benchmarks, parsed.GetValue(json), new BenchmarkContext
        {
            Rounds = parsed.GetValue(rounds), Batch = parsed.GetValue(batch), Quick = parsed.GetValue(quick), Device = parsed.GetValue(device)!,
            Images = parsed.GetValue(images), PyTorch = compares ? PyTorchPeer.Find(Console.Error.WriteLine) : null,
        });
    });
    root.Add(command);
}

static void Run(IReadOnlyList<IBenchmark> benchmarks, FileInfo? json, BenchmarkContext context)
{
    if (Console.IsOutputRedirected)
    {
        AnsiConsole.Profile.Width = 180;   // a file has no width of its own, and no colours
        AnsiConsole.Profile.Capabilities.Ansi = false;
    }
    IReadOnlyDictionary<string, string> machine = MachineInfo.Describe(context.PyTorch?.Version);
    foreach ((string name, string value) in machine) AnsiConsole.WriteLine($"{name}: {value}");
    foreach (IBenchmark benchmark in benchmarks)
    {
        benchmark.Run(context);
        if (json is not null) context.Report.Save(json.FullName, machine);   // after each: a long run that is cut short leaves what it has
    }
}
