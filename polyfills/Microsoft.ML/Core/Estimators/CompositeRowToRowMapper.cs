using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>Mappers, one after the other.</summary>
internal sealed class CompositeRowToRowMapper : IRowToRowMapper, IDisposable
{
    private readonly IRowToRowMapper[] _mappers;
    private bool _disposed;

    public CompositeRowToRowMapper(DataViewSchema inputSchema, IRowToRowMapper[] mappers)
    {
        _mappers = mappers;
        InputSchema = inputSchema;
        OutputSchema = mappers.Length > 0 ? mappers[^1].OutputSchema : inputSchema;
    }

    public DataViewSchema InputSchema { get; }

    public DataViewSchema OutputSchema { get; }

    IEnumerable<DataViewSchema.Column> IRowToRowMapper.GetDependencies(IEnumerable<DataViewSchema.Column> dependingColumns) =>
        _mappers.Reverse().Aggregate(dependingColumns, (needed, mapper) => mapper.GetDependencies(needed));

    DataViewRow IRowToRowMapper.GetRow(DataViewRow input, IEnumerable<DataViewSchema.Column> activeColumns)
    {
        Contracts.CheckValue(input, nameof(input));
        Contracts.CheckValue(activeColumns, nameof(activeColumns));
        Contracts.CheckParam(input.Schema == InputSchema, nameof(input), "The row's schema is not the one that the mapper is bound to");
        if (_mappers.Length == 0)
        {
            foreach (DataViewSchema.Column column in activeColumns)
                Contracts.CheckParam(input.IsColumnActive(column), nameof(input), $"The mapper needs column '{column.Name}', which is not active.");
            return input;
        }

        HashSet<int> active = [.. activeColumns.Select(c => c.Index)];
        var needed = new IEnumerable<DataViewSchema.Column>[_mappers.Length];
        needed[^1] = OutputSchema.Where(c => active.Contains(c.Index));
        for (int i = needed.Length - 1; i > 0; i--)
            needed[i - 1] = _mappers[i].GetDependencies(needed[i]);

        DataViewRow row = input;
        for (int i = 0; i < _mappers.Length; i++)
            row = _mappers[i].GetRow(row, needed[i]);
        return row;
    }

    public void Dispose()
    {
        if (_disposed)
            return;
        foreach (IRowToRowMapper mapper in _mappers)
            (mapper as IDisposable)?.Dispose();
        _disposed = true;
    }
}
