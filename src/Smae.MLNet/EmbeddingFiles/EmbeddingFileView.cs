using System.Globalization;
using Parquet;
using Parquet.Schema;

namespace Smae.MLNet;

/// <summary>Parquet files of embeddings as a data view: footers are read at once, rows when they are asked for.</summary>
internal sealed class EmbeddingFileView : IDataView
{
    private readonly List<EmbeddingFile> _files = [];

    public EmbeddingFileView(string path)
    {
        string[] paths = Directory.Exists(path) ? FilesOf(path) : [path];
        if (paths is [] || !File.Exists(paths[0]))
            throw new FileNotFoundException(paths is [] ? $"The folder {path} has no file *.parquet."
                : $"{path} is not there: expected a Parquet file, or a folder of them.", path);
        int? length = null;
        foreach (string file in paths)
        {
            using var opened = EmbeddingFile.Open(file);
            _files.Add(opened);
            length ??= opened.Length;
            if (opened.Length is { } own && own != length)
                throw new InvalidDataException($"{file}: its embeddings have {own} numbers, those of {paths[0]} {length}: they are another encoder's.");
        }
        if (length is null) throw new InvalidDataException($"{path}: no row has an embedding, and nothing says how long they are.");
        Length = length.Value;
        var schema = new DataViewSchema.Builder();
        schema.AddColumn(EmbeddingColumns.ImagePath, TextDataViewType.Instance);
        schema.AddColumn(EmbeddingColumns.Embedding, new VectorDataViewType(NumberDataViewType.Single, Length));
        schema.AddColumn(EmbeddingColumns.Label, TextDataViewType.Instance);
        schema.AddColumn(EmbeddingColumns.Error, TextDataViewType.Instance);
        Schema = schema.ToSchema();
    }

    /// <summary>Numbers of an embedding.</summary>
    public int Length { get; }

    public IEnumerable<string> Paths => _files.Select(file => file.Path);

    public DataViewSchema Schema { get; }

    public bool CanShuffle => false;

    public long? GetRowCount() => _files.Sum(file => file.RowCount);

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) =>
        new EmbeddingFileCursor(this, Schema.Active(columnsNeeded));

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) => [GetRowCursor(columnsNeeded, rand)];

    /// <summary>The files of a folder, on every system the same: what begins with a dot or an underscore is not data, as for all who read such folders.</summary>
    private static string[] FilesOf(string folder)
    {
        var anyCase = new EnumerationOptions { MatchCasing = MatchCasing.CaseInsensitive, AttributesToSkip = FileAttributes.None, IgnoreInaccessible = false };
        return [.. Directory.EnumerateFiles(folder, "*.parquet", anyCase)
            .Where(file => Path.GetFileName(file)[0] is not ('.' or '_')).Order(StringComparer.Ordinal)];
    }
}

/// <summary>A Parquet file with a column of embeddings, open.</summary>
internal sealed class EmbeddingFile : IDisposable
{
    private readonly FileStream _stream;
    private ParquetReader _reader = null!;
    private IReadOnlyList<Field> _fields = [];
    private DataField _element = null!;
    private int _notAnElement;   // the definition level of a list that is null or empty, at most

    private EmbeddingFile(string path) => (Path, _stream) = (path, File.OpenRead(path));

    public string Path { get; }

    public int GroupCount { get; private set; }

    public long RowCount { get; private set; }

    /// <summary>Numbers of an embedding: as the file tells, else as its first embedding has; null where it has none.</summary>
    public int? Length { get; private set; }

    /// <exception cref="InvalidDataException">It is no Parquet file, damaged, or lacks the column.</exception>
    public static EmbeddingFile Open(string path) => new EmbeddingFile(path).OrDispose(file =>
    {
        file.ReadFooter();
        return file;
    });

    /// <summary>The rows of a group as text, empty where there is none.</summary>
    public string?[] Texts(int group, string name) => Read(async () =>
    {
        using ParquetRowGroupReader rows = _reader.OpenRowGroupReader(group);
        var texts = new string?[rows.RowCount];
        if (Field(name) is { } field) await rows.ReadAsync(field, texts.AsMemory()!);
        return texts;
    });

    /// <summary>The embeddings of a group one after the other, NaN where there is none.</summary>
    /// <param name="length">Numbers of each.</param>
    public float[] Embeddings(int group, int length)
    {
        (float[] numbers, int[] definitions, int[] repetitions, long rows) = Elements(group);
        var embeddings = new float[checked(rows * length)];
        int row = -1, number = 0, next = 0;
        for (int i = 0; i <= definitions.Length; i++)
        {
            if (i == definitions.Length || repetitions[i] == 0)
            {
                if (row >= 0 && number == 0) embeddings.AsSpan(row * length, length).Fill(float.NaN);
                else if (row >= 0 && number != length)
                    throw new InvalidDataException($"{Path}: the embedding of row {row} of row group {group} has {number} numbers, expected {length}.");
                if (i == definitions.Length) break;
                (row, number) = (row + 1, 0);
                if (row >= rows) throw Damaged($"row group {group} has more embeddings than its {rows} rows");
            }
            if (definitions[i] <= _notAnElement) continue;
            float value = definitions[i] == _element.MaxDefinitionLevel ? numbers[next++] : float.NaN;
            if (number < length) embeddings[row * length + number] = value;
            number++;
        }
        if (row != rows - 1) throw Damaged($"row group {group} has {row + 1} embeddings and {rows} rows");
        return embeddings;
    }

    public void Dispose()
    {
        _reader?.DisposeAsync().AsTask().GetAwaiter().GetResult();
        _stream.Dispose();
    }

    private void ReadFooter()
    {
        _reader = Read(() => ParquetReader.CreateAsync(_stream, leaveStreamOpen: true));
        _fields = Read(() => Task.FromResult(_reader.Schema.Fields));
        Field embedding = _fields.FirstOrDefault(field => field.Name == "embedding") ?? throw new InvalidDataException(
            $"{Path} has no column 'embedding': its columns are {string.Join(", ", _fields.Select(field => $"'{field.Name}'"))}.");
        if (((embedding as ListField)?.Item ?? embedding) is not DataField { MaxRepetitionLevel: 1 } element
            || !(element.ClrType == typeof(float) || element.ClrType == typeof(double)))
            throw new InvalidDataException($"{Path}: its column 'embedding' holds {TypeOf(embedding)}: expected a list of floats or doubles.");
        (_element, _notAnElement) = (element, element.MaxDefinitionLevel - (element is { IsNullable: true, IsArray: false } ? 2 : 1));
        foreach (string name in new[] { EmbeddingColumns.ImagePath, EmbeddingColumns.Label, EmbeddingColumns.Error })
            if (Field(name) is { } field && field.ClrType != typeof(string) && field.ClrType != typeof(ReadOnlyMemory<char>))
                throw new InvalidDataException($"{Path}: its column '{field.Name}' holds {TypeOf(field)}: expected text.");
        GroupCount = Read(() => Task.FromResult(_reader.RowGroupCount));
        RowCount = Enumerable.Range(0, GroupCount).Sum(group => Rows(group));
        Length = _reader.CustomMetadata?.TryGetValue(EmbeddingColumns.LengthKey, out string? told) == true
            && int.TryParse(told, NumberStyles.None, CultureInfo.InvariantCulture, out int length) && length > 0 ? length : FirstLength();
    }

    private int? FirstLength()
    {
        for (int group = 0; group < GroupCount; group++)
        {
            (_, int[] definitions, int[] repetitions, _) = Elements(group);
            int start = Array.FindIndex(definitions, level => level > _notAnElement);
            if (start < 0) continue;
            int end = start + 1;
            while (end < repetitions.Length && repetitions[end] > 0) end++;
            return end - start;
        }
        return null;
    }

    /// <summary>The rows of a group.</summary>
    public long Rows(int group) => Read(() =>
    {
        using ParquetRowGroupReader rows = _reader.OpenRowGroupReader(group);
        return Task.FromResult(rows.RowCount);
    });

    private (float[] Numbers, int[] Definitions, int[] Repetitions, long Rows) Elements(int group) => Read(async () =>
    {
        using ParquetRowGroupReader rows = _reader.OpenRowGroupReader(group);
        int count = checked((int)rows.GetMetadata(_element)!.MetaData!.NumValues);
        if (count > _stream.Length * 64L) throw Damaged($"row group {group} tells of {count} numbers");
        (var numbers, var definitions, var repetitions) = (new float[count], new int[count], new int[count]);
        if (_element.ClrType == typeof(float))
        {
            await rows.ReadRawAsync<float>(_element, numbers, definitions, repetitions);
        }
        else
        {
            var doubles = new double[count];
            await rows.ReadRawAsync<double>(_element, doubles, definitions, repetitions);
            for (int i = 0; i < count; i++) numbers[i] = (float)doubles[i];
        }
        return (numbers, definitions, repetitions, rows.RowCount);
    });

    private DataField? Field(string name) => _fields.FirstOrDefault(field => field.Name == EmbeddingColumns.InFile(name)) as DataField;

    /// <summary>What a column holds, for messages.</summary>
    private static string TypeOf(Field field) => field switch
    {
        ListField list => $"a list of {TypeOf(list.Item)}",
        DataField { ClrType: var type } =>
            type == typeof(ReadOnlyMemory<char>) ? "text" : type == typeof(ReadOnlyMemory<byte>) ? "bytes that are not marked as text" : type.Name,
        _ => $"a {field.SchemaType.ToString().ToLowerInvariant()}",
    };

    private InvalidDataException Damaged(string why, Exception? inner = null) => new($"{Path} is no Parquet file, or it is damaged: {why}.", inner);

    /// <summary>Waits for the library, on whose behaviour over damaged bytes nothing is promised.</summary>
    private T Read<T>(Func<Task<T>> read)
    {
        try
        {
            return Task.Run(read).GetAwaiter().GetResult();
        }
        catch (Exception e) when (e is not (InvalidDataException or UnauthorizedAccessException))
        {
            throw Damaged(e.Message.TrimEnd('.'), e);
        }
    }
}

/// <summary>Goes over the rows of files, one row group in memory.</summary>
internal sealed class EmbeddingFileCursor(EmbeddingFileView view, bool[] active) : DataViewRowCursor
{
    private readonly IEnumerator<string> _paths = view.Paths.GetEnumerator();
    private readonly string?[][] _texts = new string?[view.Schema.Count][];
    private EmbeddingFile? _file;
    private float[] _embeddings = [];
    private long _position = -1, _rows;   // rows of the group
    private int _group, _row = -1;
    private bool _done;

    public override DataViewSchema Schema => view.Schema;

    public override long Position => _position;

    public override long Batch => 0;

    public override bool IsColumnActive(DataViewSchema.Column column) => active.IsActive(column);

    public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId value) => value = new DataViewRowId((ulong)Position, 0);

    public override bool MoveNext()
    {
        if (_done) return false;
        _row++;
        while (_row >= _rows)
        {
            if (Advance()) continue;
            (_done, _position) = (true, -1);
            return false;
        }
        _position++;
        return true;
    }

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        active.Require(column);
        Delegate getter = column.Name == EmbeddingColumns.Embedding
            ? VectorOutput.Getter(() => _embeddings.AsSpan(Row() * view.Length, view.Length), view.Length)
            : (ValueGetter<ReadOnlyMemory<char>>)((ref ReadOnlyMemory<char> value) => value = _texts[column.Index][Row()].AsMemory());
        return getter.As<TValue>(column);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            (_done, _position) = (true, -1);
            _file?.Dispose();
            _file = null;
            _paths.Dispose();
        }
        base.Dispose(disposing);
    }

    private int Row() => _position >= 0 ? _row : throw ActiveColumns.NoRow();

    /// <summary>Reads the next row group, of this file or the next.</summary>
    private bool Advance()
    {
        while (_file is null || _group >= _file.GroupCount)
        {
            _file?.Dispose();
            _file = null;
            if (!_paths.MoveNext()) return false;
            (_file, _group) = (EmbeddingFile.Open(_paths.Current), 0);
        }
        int group = _group++;
        _rows = _file.Rows(group);
        foreach (DataViewSchema.Column column in Schema)
            if (active[column.Index] && column.Name != EmbeddingColumns.Embedding) _texts[column.Index] = _file.Texts(group, column.Name);
        if (active[Schema[EmbeddingColumns.Embedding].Index]) _embeddings = _file.Embeddings(group, view.Length);
        _row = 0;
        return true;
    }
}
