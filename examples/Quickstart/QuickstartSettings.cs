using Smae.Training;

namespace Quickstart;

/// <summary>What the command line asked for.</summary>
internal sealed record QuickstartSettings(
    DirectoryInfo? Data, DirectoryInfo Output, int Epochs, int FineTuneEpochs, int ImageSize, int Seed, int? GpuDeviceId, Precision? Precision);
