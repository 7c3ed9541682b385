using System.Text.Json;
using Smae.Benchmarks;

switch (args)
{
    case ["scoring", .. var rest]:
        return ScoringBenchmark.Run(rest);
    case ["side", var json]:   // one side of a comparison with benchmarks/pytorch/peer.py
        SmaeSide.Run(JsonSerializer.Deserialize<SideSettings>(json, SideSettings.Json)!);
        return 0;
    default:
        Console.Error.WriteLine("usage: Smae.Benchmarks scoring [--images N] [--rounds N] [--batch N] [--json FILE]");
        return 2;
}
