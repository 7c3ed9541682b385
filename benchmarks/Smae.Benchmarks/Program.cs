using System.CommandLine;
using System.Text.Json;
using Smae.Benchmarks;

if (args is ["side", var json])   // one side of a comparison with benchmarks/pytorch/peer.py
{
    SmaeSide.Run(JsonSerializer.Deserialize<SideSettings>(json, SideSettings.Json)!);
    return 0;
}
var root = new RootCommand("How fast Smae is, and against what.");
foreach (Command command in BenchmarkCommands.All()) root.Add(command);
return root.Parse(args).Invoke();
