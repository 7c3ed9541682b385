using System.Text.Json;
using Smae.Benchmarks;
if (args is ["side", var json])
{
    SmaeSide.Run(JsonSerializer.Deserialize<SideSettings>(json, SideSettings.Json)!);
    return 0;
}
return 1;
