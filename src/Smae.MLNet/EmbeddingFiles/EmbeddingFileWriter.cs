using Parquet;
using Parquet.Schema;

namespace Smae.MLNet;

/// <summary>Names in files of embeddings, and in data views of them.</summary>
internal static class EmbeddingColumns
{
    public const string ImagePath = "ImagePath", Embedding = "Embedding", Label = "Label", Error = "Error";

    /// <summary>Where a file tells how long its embeddings are, which no row may tell.</summary>
    public const string LengthKey = "smae.embedding_length";

    /// <summary>What a file calls a column of text.</summary>
    public static string InFile(string name) => name == ImagePath ? "path" : name.ToLowerInvariant();
}

/// <summary>Writes rows with embeddings as Parquet: lists in the standard three levels, a row group for every 8 MiB of numbers.</summary>
internal sealed class EmbeddingFileWriter
{
    private const int GroupBytes = 8 << 20;
    private const int NoList = 0, Number = 2;   // definition levels: the list is null, an element of a list

    private static readonly string[] s_texts = [EmbeddingColumns.ImagePath, EmbeddingColumns.Label, EmbeddingColumns.Error];

    private readonly IDataView _data;
    private readonly IProgress<long>? _progress;
    private readonly CancellationToken _cancellation;
    private readonly DataViewSchema.Column _embedding;
    private readonly DataViewSchema.Column[] _texts;
    private readonly int _length, _groupRows;

    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of another type.</exception>
    public EmbeddingFileWriter(IDataView data, IProgress<long>? progress, CancellationToken cancellation)
    {
        (_data, _progress, _cancellation) = (data, progress, cancellation);
        _embedding = new NeededColumn("embedding", "Vector<Single> of known size", Parameter: nameof(data)).Find(
            data.Schema, EmbeddingColumns.Embedding,
            column => column.Type is VectorDataViewType { IsKnownSize: true } type && type.ItemType.Equals(NumberDataViewType.Single));
        _texts = [.. s_texts.Where(name => data.Schema.GetColumnOrNull(name) is not null).Select(name =>
            new NeededColumn(name, "Text", "MapKeyToValue makes it of a key", nameof(data)).Find(data.Schema, name, column => column.Type is TextDataViewType))];
        _length = ((VectorDataViewType)_embedding.Type).Size;
        _groupRows = Math.Max(1, GroupBytes / sizeof(float) / _length);
    }

    /// <returns>The rows written.</returns>
    public long Write(Stream stream) => Task.Run(() => WriteTo(stream)).GetAwaiter().GetResult();   // away from a caller's context, which waits

    private async Task<long> WriteTo(Stream stream)
    {
        var list = new ListField("embedding", new DataField<float>("element", nullable: false));
        var element = (DataField)list.Item;
        DataField[] texts = [.. _texts.Select(column => new DataField<string>(EmbeddingColumns.InFile(column.Name), nullable: true))];
        int first = _texts is [{ Name: EmbeddingColumns.ImagePath }, ..] ? 1 : 0;   // the path stands before the embedding
        var schema = new ParquetSchema([.. texts[..first], list, .. texts[first..]]);
        await using ParquetWriter file = await ParquetWriter.CreateAsync(schema, stream, new ParquetOptions { CompressionMethod = CompressionMethod.Snappy });
        file.CustomMetadata = new Dictionary<string, string> { [EmbeddingColumns.LengthKey] = $"{_length}" };

        using DataViewRowCursor cursor = _data.GetRowCursor([_embedding, .. _texts]);
        var group = new Rows(cursor, this);
        long rows = 0;
        while (group.Fill())
        {
            using ParquetRowGroupWriter writer = file.CreateRowGroup();
            for (int i = 0; i < first; i++) await writer.WriteAsync(texts[i], group.Texts(i));
            await writer.WriteAllPartsAsync<float>(element, group.Numbers, group.Definitions, group.Repetitions, _cancellation);
            for (int i = first; i < texts.Length; i++) await writer.WriteAsync(texts[i], group.Texts(i));
            writer.CompleteValidate();
            rows += group.Count;
            _progress?.Report(rows);
        }
        return rows;
    }

    /// <summary>The rows of one group, read from a cursor.</summary>
    private sealed class Rows
    {
        private readonly DataViewRowCursor _cursor;
        private readonly EmbeddingFileWriter _writer;
        private readonly ValueGetter<VBuffer<float>> _embedding;
        private readonly ValueGetter<ReadOnlyMemory<char>>[] _getters;
        private readonly string?[][] _texts;
        private readonly float[] _numbers;
        private readonly int[] _definitions, _repetitions;
        private int _numberCount, _levelCount;

        public Rows(DataViewRowCursor cursor, EmbeddingFileWriter writer)
        {
            (_cursor, _writer) = (cursor, writer);
            _embedding = cursor.GetGetter<VBuffer<float>>(writer._embedding);
            _getters = [.. writer._texts.Select(cursor.GetGetter<ReadOnlyMemory<char>>)];
            _texts = [.. _getters.Select(_ => new string?[writer._groupRows])];
            _numbers = new float[writer._groupRows * writer._length];
            (_definitions, _repetitions) = (new int[_numbers.Length], new int[_numbers.Length]);
        }

        public int Count { get; private set; }

        public ReadOnlyMemory<float> Numbers => _numbers.AsMemory(0, _numberCount);

        public ReadOnlyMemory<int> Definitions => _definitions.AsMemory(0, _levelCount);

        public ReadOnlyMemory<int> Repetitions => _repetitions.AsMemory(0, _levelCount);

        public IReadOnlyCollection<string> Texts(int column) => new ArraySegment<string>(_texts[column]!, 0, Count);

        /// <returns>Whether there were rows left.</returns>
        public bool Fill()
        {
            (Count, _numberCount, _levelCount) = (0, 0, 0);
            VBuffer<float> embedding = default;
            ReadOnlyMemory<char> text = default;
            while (Count < _writer._groupRows && _cursor.MoveNext())
            {
                _writer._cancellation.ThrowIfCancellationRequested();
                _embedding(ref embedding);
                Add(embedding);
                for (int i = 0; i < _getters.Length; i++)
                {
                    _getters[i](ref text);
                    _texts[i][Count] = text.IsEmpty ? null : text.ToString();
                }
                Count++;
            }
            return Count > 0;
        }

        private void Add(in VBuffer<float> embedding)
        {
            Span<float> numbers = _numbers.AsSpan(_numberCount, _writer._length);
            embedding.CopyTo(numbers);
            bool missing = true;
            foreach (float number in numbers) missing &= float.IsNaN(number);
            int levels = missing ? 1 : _writer._length;
            _definitions.AsSpan(_levelCount, levels).Fill(missing ? NoList : Number);
            _repetitions.AsSpan(_levelCount, levels).Fill(1);
            _repetitions[_levelCount] = 0;   // a new row
            _levelCount += levels;
            if (!missing) _numberCount += levels;
        }
    }
}
