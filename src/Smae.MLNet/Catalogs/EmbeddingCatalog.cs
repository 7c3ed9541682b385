namespace Smae.MLNet;

/// <summary>Embeddings in Parquet files: extensions of <see cref="MLContext.Data"/>.</summary>
public static class EmbeddingCatalog
{
    /// <summary>
    /// Writes embeddings to a Parquet file, row by row as they are computed: memory does not grow with the rows. DuckDB and others that know Parquet read it.
    /// </summary>
    /// <param name="data">
    /// The column <c>Embedding</c> (Vector&lt;Single&gt; of known size) and, where they are there, <c>ImagePath</c>, <c>Label</c> and <c>Error</c> (text). Other
    /// columns are left out. Written are <c>path</c>, <c>embedding</c> (a list of floats, null where all are NaN), <c>label</c> and <c>error</c> (null where
    /// they are empty).
    /// </param>
    /// <param name="path">The file, for example <c>embeddings.parquet</c>. It is there when it is whole; one that was there before is replaced.</param>
    /// <param name="progress">Told how many rows have been written, every few thousand.</param>
    /// <param name="cancellationToken">Stops the work; no file is left behind. Default none.</param>
    /// <returns>The rows written.</returns>
    /// <exception cref="ArgumentException">The path is blank.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no column Embedding, or a column is of another type.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static long SaveEmbeddings(
        this DataOperationsCatalog catalog, IDataView data, string path, IProgress<long>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(data);
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        var writer = new EmbeddingFileWriter(data, progress, cancellationToken);
        long rows = 0;
        AtomicFile.Write(path, stream => rows = writer.Write(stream));
        return rows;
    }

    /// <summary>
    /// Reads embeddings from Parquet files, such as <see cref="SaveEmbeddings"/> or examples/EmbedFolder writes, as they are needed: one row group is in memory
    /// at a time.
    /// </summary>
    /// <param name="path">
    /// A file, or a folder whose <c>*.parquet</c> files are read in the order of their names, but for those whose names begin with a dot or an underscore. They
    /// have a column <c>embedding</c>, a list of floats or doubles, all of one length; <c>path</c>, <c>label</c> and <c>error</c>, text, may be missing.
    /// </param>
    /// <returns>
    /// The columns <c>ImagePath</c> (text), <c>Embedding</c> (Vector&lt;Single&gt;; NaN, ML.NET's missing value, where the file has none), <c>Label</c> and
    /// <c>Error</c> (text, empty where there is none). Trainers want a cache in between: <c>ml.Data.Cache</c>.
    /// </returns>
    /// <exception cref="ArgumentException">The path is blank.</exception>
    /// <exception cref="FileNotFoundException">There is no such file or folder, or the folder has no Parquet file.</exception>
    /// <exception cref="InvalidDataException">
    /// A file is no Parquet file, damaged, lacks the column, or has embeddings of another length than the first; the message names it.
    /// </exception>
    public static IDataView LoadEmbeddings(this DataOperationsCatalog catalog, string path)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        return new EmbeddingFileView(path);
    }
}
