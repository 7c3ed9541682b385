namespace Microsoft.ML.Data;

/// <summary>Adds columns to rows: what a row-to-row transformer is bound to a schema.</summary>
internal interface IRowMapper
{
    /// <summary>Which input columns the active ones among the added columns need.</summary>
    Func<int, bool> GetDependencies(Func<int, bool> activeOutput);

    /// <summary>Getters of the added columns, null for those not active; the disposer, if any, runs when the row is disposed.</summary>
    Delegate[] CreateGetters(DataViewRow input, Func<int, bool> activeOutput, out Action disposer);

    DataViewSchema.DetachedColumn[] GetOutputColumns();
}
