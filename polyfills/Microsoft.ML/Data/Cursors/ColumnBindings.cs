namespace Microsoft.ML.Data;

/// <summary>Input columns with added columns: a new name goes to the end, an old one behind its last bearer, which it hides.</summary>
internal sealed class ColumnBindings
{
    // The index of an input column, or the complement of the index of an added one.
    private readonly List<int> _map;

    public ColumnBindings(DataViewSchema input, DataViewSchema.DetachedColumn[] added)
    {
        InputSchema = input;
        _map = [.. Enumerable.Range(0, input.Count)];
        for (int i = 0; i < added.Length; i++)
        {
            int last = _map.FindLastIndex(m => NameOf(m) == added[i].Name);
            _map.Insert(last < 0 ? _map.Count : last + 1, ~i);
        }

        Schema = ColumnTypeExtensions.MakeSchema(_map.Select(m => m >= 0 ? new DataViewSchema.DetachedColumn(input[m]) : added[~m]));
        AddedColumnIndices = [.. Enumerable.Range(0, added.Length).Select(i => _map.IndexOf(~i))];

        string NameOf(int mapped) => mapped >= 0 ? input[mapped].Name : added[~mapped].Name;
    }

    /// <summary>Where the added columns are in <see cref="Schema"/>.</summary>
    public int[] AddedColumnIndices { get; }

    public DataViewSchema InputSchema { get; }

    public DataViewSchema Schema { get; }

    /// <summary>The index among the input columns or among the added ones.</summary>
    public int MapColumnIndex(out bool isSource, int col)
    {
        isSource = _map[col] >= 0;
        return isSource ? _map[col] : ~_map[col];
    }

    /// <summary>The input columns that pass through to the wanted columns.</summary>
    public bool[] GetActiveInput(Func<int, bool> predicate)
    {
        var active = new bool[InputSchema.Count];
        for (int col = 0; col < _map.Count; col++)
        {
            if (_map[col] >= 0 && predicate(col))
                active[_map[col]] = true;
        }

        return active;
    }
}
