using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>A transformer that predicts by a model.</summary>
public abstract class PredictionTransformerBase<TModel> : IPredictionTransformer<TModel>, IDisposable
    where TModel : class
{
    private protected const string ModelDirectory = "Model";

    private protected readonly IHost Host;

    private bool _disposed;

    private protected PredictionTransformerBase(IHost host, TModel model)
    {
        Host = host;
        Host.CheckValue(model, nameof(model));
        Model = model;
    }

    public TModel Model { get; }

    bool ITransformer.IsRowToRowMapper => true;

    public abstract DataViewSchema GetOutputSchema(DataViewSchema inputSchema);

    public IDataView Transform(IDataView input)
    {
        Host.CheckValue(input, nameof(input));
        return new RowToRowMapperTransform(Host, input, MakeRowMapper(input.Schema));
    }

    IRowToRowMapper ITransformer.GetRowToRowMapper(DataViewSchema inputSchema)
    {
        Host.CheckValue(inputSchema, nameof(inputSchema));
        return new RowToRowMapperTransform(Host, new EmptyDataView(Host, inputSchema), MakeRowMapper(inputSchema));
    }

    void ICanSaveModel.Save(ModelSaveContext ctx)
    {
        Host.CheckValue(ctx, nameof(ctx));
        ctx.CheckAtModel();
        SaveCore(ctx);
    }

    public void Dispose()
    {
        if (_disposed)
            return;
        (Model as IDisposable)?.Dispose();
        _disposed = true;
    }

    private protected abstract IRowMapper MakeRowMapper(DataViewSchema schema);

    private protected abstract void SaveCore(ModelSaveContext ctx);
}
