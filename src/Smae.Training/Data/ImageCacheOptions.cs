namespace Smae.Training;

/// <summary>Where decoded images lie: in memory up to a budget, beyond it in a file that is mapped into memory, for data that memory cannot hold.</summary>
public sealed record ImageCacheOptions
{
    /// <summary>
    /// Bytes of decoded images that one store holds in memory of its own, in blocks of up to 64 MiB; the rest lies in the file, of which the system
    /// keeps in memory what it has room for. At least one block is held. An image takes <see cref="ImagePreprocessing.ByteCount"/> bytes: 12 KiB at
    /// 64x64, 147 KiB at 224x224. Training and validation images are two stores. Default null: half of the machine's memory, or of the limit that
    /// the process runs under.
    /// </summary>
    public long? MemoryBudget { get; init; }

    /// <summary>
    /// The folder of the file; it is made if it is not there. Where images are read from a column of paths, all of them are written to it, and the
    /// next run decodes nothing if it reads the same files in the same order, none of them with another size or time of last change, and brings
    /// them to the same size. Of other columns nothing is kept. One file is kept for each list of paths and size; nothing deletes them but you.
    /// Default null: the system's folder for temporary files, and nothing is kept.
    /// </summary>
    public string? Directory { get; init; }

    /// <summary>The budget in force.</summary>
    internal long EffectiveBudget => MemoryBudget ?? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 2;

    /// <summary>Checks the options.</summary>
    /// <exception cref="ArgumentException">An option is out of range: the message names every one that is.</exception>
    public void Validate() => Guard.NoFaults(Faults(), nameof(ImageCacheOptions));

    internal IEnumerable<string> Faults()
    {
        if (MemoryBudget < 0) yield return $"ImageCache.MemoryBudget is {MemoryBudget}: expected 0 or more bytes, or null.";
        if (Directory is not null && string.IsNullOrWhiteSpace(Directory)) yield return "ImageCache.Directory is blank: expected a folder, or null.";
    }
}
