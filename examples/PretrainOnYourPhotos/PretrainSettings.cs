namespace PretrainOnYourPhotos;

/// <summary>What the command line asked for.</summary>
internal sealed record PretrainSettings(
    DirectoryInfo Photos, DirectoryInfo Output, int Epochs, int ImageSize, TimeSpan CheckpointInterval, int Seed, int? GpuDeviceId);
