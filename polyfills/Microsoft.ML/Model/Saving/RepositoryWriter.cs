using System.IO.Compression;
using Microsoft.ML.Runtime;

namespace Microsoft.ML;

/// <summary>A model file that is being written: a zip archive. What was written stays, even if the rest fails.</summary>
internal sealed class RepositoryWriter(Stream stream, IExceptionContext ectx) : IDisposable
{
    private readonly ZipArchive _archive = new(stream, ZipArchiveMode.Create, leaveOpen: true);
    private readonly HashSet<string> _written = [];

    public IExceptionContext ExceptionContext { get; } = ectx;

    public void Write(string path, MemoryStream content)
    {
        if (!_written.Add(path))
            throw ExceptionContext.ExceptParam("name", $"Duplicate entry: '{path}'");
        using Stream entry = _archive.CreateEntry(path).Open();
        content.Position = 0;
        content.CopyTo(entry);
    }

    public void Dispose() => _archive.Dispose();
}
