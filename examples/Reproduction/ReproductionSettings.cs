namespace Reproduction;

/// <summary>What the command line asked for.</summary>
internal sealed record ReproductionSettings(
    DirectoryInfo TinyImageNet, DirectoryInfo Cub, DirectoryInfo Output, Scale Scale, IReadOnlyList<Method> Methods, int Seeds, int? GpuDeviceId,
    bool Resume, FileInfo? Teacher, bool ProbesOnly);
