using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML;

/// <summary>Loads text files.</summary>
public static class TextLoaderSaverCatalog
{
    public static TextLoader CreateTextLoader(
        this DataOperationsCatalog catalog, TextLoader.Column[] columns, char separatorChar = '\t', bool hasHeader = false,
        IMultiStreamSource dataSample = null, bool allowQuoting = false, bool trimWhitespace = false, bool allowSparse = false) =>
        new(catalog.GetEnvironment(), OptionsOf(columns, separatorChar, hasHeader, allowQuoting, trimWhitespace, allowSparse), dataSample);

    public static TextLoader CreateTextLoader(
        this DataOperationsCatalog catalog, TextLoader.Options options, IMultiStreamSource dataSample = null) =>
        new(catalog.GetEnvironment(), options, dataSample);

    public static TextLoader CreateTextLoader<TInput>(
        this DataOperationsCatalog catalog, char separatorChar = '\t', bool hasHeader = false, IMultiStreamSource dataSample = null,
        bool allowQuoting = false, bool trimWhitespace = false, bool allowSparse = false) =>
        TextLoader.Create<TInput>(
            catalog.GetEnvironment(), OptionsOf(null, separatorChar, hasHeader, allowQuoting, trimWhitespace, allowSparse), dataSample);

    public static TextLoader CreateTextLoader<TInput>(
        this DataOperationsCatalog catalog, TextLoader.Options options, IMultiStreamSource dataSample = null) =>
        TextLoader.Create<TInput>(catalog.GetEnvironment(), options, dataSample);

    public static IDataView LoadFromTextFile(
        this DataOperationsCatalog catalog, string path, TextLoader.Column[] columns, char separatorChar = '\t', bool hasHeader = false,
        bool allowQuoting = false, bool trimWhitespace = false, bool allowSparse = false)
    {
        CheckPath(path);
        return catalog.CreateTextLoader(columns, separatorChar, hasHeader, null, allowQuoting, trimWhitespace, allowSparse)
            .Load(new MultiFileSource(path));
    }

    public static IDataView LoadFromTextFile(this DataOperationsCatalog catalog, string path, TextLoader.Options options = null)
    {
        CheckPath(path);
        var source = new MultiFileSource(path);
        return catalog.CreateTextLoader(options, source).Load(source);
    }

    public static IDataView LoadFromTextFile<TInput>(
        this DataOperationsCatalog catalog, string path, char separatorChar = '\t', bool hasHeader = false,
        bool allowQuoting = false, bool trimWhitespace = false, bool allowSparse = false)
    {
        CheckPath(path);
        return catalog.CreateTextLoader<TInput>(separatorChar, hasHeader, null, allowQuoting, trimWhitespace, allowSparse)
            .Load(new MultiFileSource(path));
    }

    public static IDataView LoadFromTextFile<TInput>(this DataOperationsCatalog catalog, string path, TextLoader.Options options)
    {
        CheckPath(path);
        return catalog.CreateTextLoader<TInput>(options).Load(new MultiFileSource(path));
    }

    private static TextLoader.Options OptionsOf(
        TextLoader.Column[] columns, char separator, bool hasHeader, bool allowQuoting, bool trimWhitespace, bool allowSparse) =>
        new()
        {
            Columns = columns,
            Separators = [separator],
            HasHeader = hasHeader,
            AllowQuoting = allowQuoting,
            TrimWhitespace = trimWhitespace,
            AllowSparse = allowSparse,
        };

    private static void CheckPath(string path)
    {
        Contracts.CheckNonEmpty(path, nameof(path));
        if (!File.Exists(path) && !MultiFileSource.Expand(path).Any(File.Exists))
            throw Contracts.ExceptParam(nameof(path), $"There is no file at path: {path}");
    }
}
