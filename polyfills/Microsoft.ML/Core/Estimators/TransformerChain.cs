using System.Collections;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>Transformers, one after the other.</summary>
public sealed class TransformerChain<TLastTransformer> : ITransformer, IEnumerable<ITransformer>, ITransformerChainAccessor, IDisposable
    where TLastTransformer : class, ITransformer
{
    public readonly TLastTransformer LastTransformer;

    private readonly ITransformer[] _transformers;
    private readonly TransformerScope[] _scopes;
    private bool _disposed;

    public TransformerChain(IEnumerable<ITransformer> transformers, IEnumerable<TransformerScope> scopes)
    {
        _transformers = transformers?.ToArray() ?? [];
        _scopes = scopes?.ToArray() ?? [];
        LastTransformer = _transformers.LastOrDefault() as TLastTransformer;
        Contracts.Check((_transformers.Length > 0) == (LastTransformer != null));
        Contracts.Check(_transformers.Length == _scopes.Length);
    }

    public TransformerChain(params ITransformer[] transformers)
        : this(transformers, Enumerable.Repeat(TransformerScope.Everything, transformers?.Length ?? 0))
    {
    }

    bool ITransformer.IsRowToRowMapper => _transformers.All(t => t.IsRowToRowMapper);

    ITransformer[] ITransformerChainAccessor.Transformers => _transformers;

    TransformerScope[] ITransformerChainAccessor.Scopes => _scopes;

    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => GetOutputSchema(inputSchema, TransformerScope.Scoring);

    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema, TransformerScope scope)
    {
        Contracts.CheckValue(inputSchema, nameof(inputSchema));
        return OfScope(scope).Aggregate(inputSchema, (schema, transformer) => transformer.GetOutputSchema(schema));
    }

    public IDataView Transform(IDataView input) => Transform(input, TransformerScope.Scoring);

    public IDataView Transform(IDataView input, TransformerScope scope)
    {
        Contracts.CheckValue(input, nameof(input));
        // Errors in the schema come out before the first transformer looks at the data.
        GetOutputSchema(input.Schema, scope);
        return OfScope(scope).Aggregate(input, (data, transformer) => transformer.Transform(data));
    }

    public TransformerChain<ITransformer> GetModelFor(TransformerScope scopeFilter) =>
        new(OfScope(scopeFilter), _scopes.Where(s => (s & scopeFilter) != TransformerScope.None));

    public TransformerChain<TNewLast> Append<TNewLast>(TNewLast transformer, TransformerScope scope = TransformerScope.Everything)
        where TNewLast : class, ITransformer
    {
        Contracts.CheckValue(transformer, nameof(transformer));
        return new TransformerChain<TNewLast>([.. _transformers, transformer], [.. _scopes, scope]);
    }

    void ICanSaveModel.Save(ModelSaveContext ctx)
    {
        ctx.CheckAtModel();
        ctx.SetVersionInfo(TransformerChain.LoaderSignature);
        ctx.Writer.Write(_transformers.Length);
        for (int i = 0; i < _transformers.Length; i++)
        {
            ctx.Writer.Write((int)_scopes[i]);
            ctx.SaveModel(_transformers[i], TransformerChain.DirectoryOf(i));
        }
    }

    public IEnumerator<ITransformer> GetEnumerator() => ((IEnumerable<ITransformer>)_transformers).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    IRowToRowMapper ITransformer.GetRowToRowMapper(DataViewSchema inputSchema)
    {
        Contracts.CheckValue(inputSchema, nameof(inputSchema));
        Contracts.Check(((ITransformer)this).IsRowToRowMapper, "Some transformer of the chain does not map row to row.");
        var mappers = new IRowToRowMapper[_transformers.Length];
        DataViewSchema schema = inputSchema;
        for (int i = 0; i < mappers.Length; i++)
        {
            mappers[i] = _transformers[i].GetRowToRowMapper(schema);
            schema = mappers[i].OutputSchema;
        }

        return new CompositeRowToRowMapper(inputSchema, mappers);
    }

    public void Dispose()
    {
        if (_disposed)
            return;
        foreach (ITransformer transformer in _transformers)
            (transformer as IDisposable)?.Dispose();
        _disposed = true;
    }

    private IEnumerable<ITransformer> OfScope(TransformerScope scope) =>
        _transformers.Where((_, i) => (_scopes[i] & scope) != TransformerScope.None);
}
