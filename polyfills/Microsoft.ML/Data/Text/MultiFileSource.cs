using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>Files, or the files that patterns with wild cards stand for.</summary>
public sealed class MultiFileSource : IMultiStreamSource
{
    private readonly string[] _paths;

    public MultiFileSource(params string[] paths) =>
        _paths = paths is null or [null] ? [] : [.. paths.SelectMany(Expand)];

    public int Count => _paths.Length;

    public string GetPathOrNull(int index)
    {
        Contracts.CheckParam(index >= 0 && index < Count, nameof(index));
        return _paths[index];
    }

    public Stream Open(int index)
    {
        string path = GetPathOrNull(index);
        try
        {
            return File.OpenRead(path);
        }
        catch (Exception ex)
        {
            throw Contracts.Process(new IOException($"Could not open file '{path}'. Error is: {ex.Message}", ex));
        }
    }

    public TextReader OpenTextReader(int index) => new StreamReader(Open(index));

    internal static IEnumerable<string> Expand(string pattern)
    {
        if (!pattern.Contains('*') && !pattern.Contains('?'))
            return [pattern];
        string directory = Path.GetDirectoryName(pattern);
        string[] found = Directory.GetFiles(string.IsNullOrEmpty(directory) ? "." : directory, Path.GetFileName(pattern));
        Array.Sort(found, StringComparer.Ordinal);
        return found.Length > 0 ? found : [pattern];
    }
}
