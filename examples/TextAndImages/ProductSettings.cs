namespace TextAndImages;

/// <summary>What the command line asked for.</summary>
internal sealed record ProductSettings(FileInfo Products, FileInfo? Encoder, bool PretrainedText, int TextEpochs, int ImageEpochs, int Seed, int? GpuDeviceId);
