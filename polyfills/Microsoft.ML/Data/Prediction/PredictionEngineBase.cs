using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML;

/// <summary>Scores objects one by one.</summary>
public abstract class PredictionEngineBase<TSrc, TDst> : IDisposable
    where TSrc : class
    where TDst : class, new()
{
    private readonly InputRow<TSrc> _inputRow;
    private readonly Action<TDst> _fill;
    private readonly bool _ownsTransformer;
    private bool _disposed;

    private protected PredictionEngineBase(
        IHostEnvironment env, ITransformer transformer, bool ignoreMissingColumns,
        SchemaDefinition inputSchemaDefinition, SchemaDefinition outputSchemaDefinition, bool ownsTransformer)
    {
        Contracts.CheckValue(env, nameof(env));
        env.CheckValue(transformer, nameof(transformer));
        env.CheckParam(transformer.IsRowToRowMapper, nameof(transformer), "Must be a row to row mapper");
        Transformer = transformer;
        _ownsTransformer = ownsTransformer;
        _inputRow = InputRow<TSrc>.Create(env, inputSchemaDefinition);
        IRowToRowMapper mapper = transformer.GetRowToRowMapper(_inputRow.Schema);
        var filler = new RowFiller<TDst>(env, mapper.OutputSchema, ignoreMissingColumns, outputSchemaDefinition);
        _fill = filler.CreateFill(mapper.GetRow(_inputRow, mapper.OutputSchema));
        OutputSchema = transformer.GetOutputSchema(_inputRow.Schema);
    }

    public DataViewSchema OutputSchema { get; }

    private protected ITransformer Transformer { get; }

    public TDst Predict(TSrc example)
    {
        var result = new TDst();
        Predict(example, ref result);
        return result;
    }

    public abstract void Predict(TSrc example, ref TDst prediction);

    public void Dispose()
    {
        if (_disposed)
            return;
        // The mapper's row is not disposed, nor is it in the original: only the row that it reads.
        _inputRow.Dispose();
        if (_ownsTransformer)
            (Transformer as IDisposable)?.Dispose();
        _disposed = true;
    }

    private protected void ExtractValues(TSrc example) => _inputRow.ExtractValues(example);

    private protected void FillValues(TDst prediction) => _fill(prediction);
}
