namespace Microsoft.ML.Runtime;

/// <summary>The settings that go from a context to every component under it.</summary>
internal interface IHostEnvironmentInternal : IHostEnvironment
{
    int? Seed { get; }

    string TempFilePath { get; set; }

    bool FallbackToCpu { get; set; }

    int? GpuDeviceId { get; set; }

    bool TryAddOption<T>(string name, T value);

    void SetOption<T>(string name, T value);

    bool TryGetOption<T>(string name, out T value);

    T GetOptionOrDefault<T>(string name);

    bool RemoveOption(string name);
}
