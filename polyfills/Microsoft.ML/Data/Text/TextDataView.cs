using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>A data view over text files; every cursor reads them anew.</summary>
internal sealed class TextDataView(
    IHost host, DataViewSchema schema, TextColumn[] columns, TextFormat format, IMultiStreamSource source, long maxRows) : IDataView
{
    private TextColumn[] Columns => columns;

    private TextFormat Format => format;

    public bool CanShuffle => false;

    public DataViewSchema Schema => schema;

    public long? GetRowCount() => null;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random rand = null) =>
        new Cursor(host, this, RowCursorUtils.ActiveColumns(columnsNeeded, schema));

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random rand = null) =>
        [GetRowCursor(columnsNeeded, rand)];

    private IEnumerable<(long Number, string Text)> Lines()
    {
        long rows = 0;
        foreach ((long, string) line in new TextLines(format, source, format.HasHeader).Read())
        {
            if (rows++ == maxRows)
                yield break;
            yield return line;
        }
    }

    private sealed class Cursor : RootCursorBase
    {
        private readonly TextDataView _parent;
        private readonly IEnumerator<(long Number, string Text)> _lines;
        private readonly TextField[] _fields;
        private bool _disposed;

        public Cursor(IHost host, TextDataView parent, bool[] active)
            : base(host)
        {
            _parent = parent;
            _lines = parent.Lines().GetEnumerator();
            _fields = new TextField[active.Length];
            for (int i = 0; i < active.Length; i++)
            {
                if (active[i])
                    _fields[i] = TextField.Create(parent.Columns[i], parent.Format);
            }
        }

        public override DataViewSchema Schema => _parent.Schema;

        public override long Batch => 0;

        public override bool IsColumnActive(DataViewSchema.Column column) => _fields[column.Index] != null;

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            Ch.CheckParam(IsColumnActive(column), nameof(column), "requested column not active");
            return RowCursorUtils.Cast<TValue>(_fields[column.Index].Getter);
        }

        public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId value) =>
        {
            Ch.Check(IsGood, RowCursorUtils.FetchValueStateError);
            value = new DataViewRowId((ulong)Position, 0);
        };

        protected override bool MoveNextCore()
        {
            if (!_lines.MoveNext())
                return false;
            try
            {
                // Lines are parsed when they are read, so an error comes out even if nobody asks for the value.
                List<string> fields = _parent.Format.Split(_lines.Current.Text);
                foreach (TextField field in _fields)
                    field?.Parse(fields, _lines.Current.Number);
            }
            catch (InvalidOperationException ex)
            {
                throw Contracts.Process(new FormatException($"Parsing failed with an exception: {ex.Message}", ex), Ch);
            }

            return true;
        }

        protected override void Dispose(bool disposing)
        {
            if (_disposed)
                return;
            _disposed = true;
            if (disposing)
                _lines.Dispose();
            base.Dispose(disposing);
        }
    }
}
