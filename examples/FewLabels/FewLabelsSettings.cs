namespace FewLabels;

/// <summary>What the command line asked for.</summary>
internal sealed record FewLabelsSettings(
    DirectoryInfo Data, FileInfo? Encoder, DirectoryInfo Output, IReadOnlyList<double> Percentages, int Epochs, int Steps, int ImageSize, int Seed,
    int? GpuDeviceId);
