using System.Text.Json;
using Smae.Benchmarks;

return args switch
{
    // Started by another of these processes: an embedding from a cold start, and one side of a comparison.
    ["cold", var way, var model, var image] => ColdStart.Run(way, model, image),
    ["side", var settings] => RunSide(settings),
    _ => Commands.Run(args),
};

// In a method of its own, so that a cold start does not load what it names.
static int RunSide(string settings)
{
    SmaeSide.Run(JsonSerializer.Deserialize<SideSettings>(settings, SideSettings.Json)!);
    return 0;
}
