using System.IO.Compression;
using Microsoft.ML.Runtime;

namespace Microsoft.ML;

/// <summary>A model file that is being read.</summary>
internal sealed class RepositoryReader : IDisposable
{
    private readonly ZipArchive _archive;

    public RepositoryReader(Stream stream, IExceptionContext ectx)
    {
        try
        {
            _archive = new ZipArchive(stream, ZipArchiveMode.Read, leaveOpen: true);
        }
        catch (InvalidDataException)
        {
            throw ectx.ExceptDecode("Failed to open a zip archive");
        }
    }

    /// <summary>A copy of an entry in memory, so that it can be read from any place; null if there is none.</summary>
    public Stream OpenEntryOrNull(string path)
    {
        if (_archive.GetEntry(path) is not { } entry)
            return null;
        var content = new MemoryStream();
        using (Stream source = entry.Open())
            source.CopyTo(content);
        content.Position = 0;
        return content;
    }

    public void Dispose() => _archive.Dispose();
}
