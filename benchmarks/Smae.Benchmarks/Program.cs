using System.Text.Json;
using Smae.Benchmarks;
if (args is ["side", var json])
{
    SmaeSide.Run(JsonSerializer.Deserialize<SideSettings>(json, SideSettings.Json)!);
    return 0;
}
if (args is ["scoring", .. var rest]) return ScoringBenchmark.Run(rest);
return 1;
