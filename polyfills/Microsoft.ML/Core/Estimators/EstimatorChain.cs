using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>Estimators, each fitted to what those before it make of the data.</summary>
public sealed class EstimatorChain<TLastTransformer> : IEstimator<TransformerChain<TLastTransformer>>
    where TLastTransformer : class, ITransformer
{
    public readonly IEstimator<TLastTransformer> LastEstimator;

    private readonly IHostEnvironment _env;
    private readonly EstimatorLink[] _links;

    public EstimatorChain() => _links = [];

    internal EstimatorChain(IHostEnvironment env, EstimatorLink[] links)
    {
        _env = env?.Register(nameof(EstimatorChain<TLastTransformer>));
        _links = links;
        LastEstimator = links[^1].Estimator as IEstimator<TLastTransformer>;
    }

    public TransformerChain<TLastTransformer> Fit(IDataView input)
    {
        // The whole schema is checked before anything is trained.
        GetOutputSchema(SchemaShape.Create(input.Schema));

        var transformers = new ITransformer[_links.Length];
        IDataView data = input;
        for (int i = 0; i < _links.Length; i++)
        {
            transformers[i] = _links[i].Estimator.Fit(data);
            data = transformers[i].Transform(data);
            if (_links[i].CacheAfter && i < _links.Length - 1)
                data = new CacheDataView(_env, data, null);
        }

        return new TransformerChain<TLastTransformer>(transformers, _links.Select(l => l.Scope));
    }

    public SchemaShape GetOutputSchema(SchemaShape inputSchema) =>
        _links.Aggregate(inputSchema, (shape, link) => link.Estimator.GetOutputSchema(shape));

    public EstimatorChain<TNewTrans> Append<TNewTrans>(IEstimator<TNewTrans> estimator, TransformerScope scope = TransformerScope.Everything)
        where TNewTrans : class, ITransformer
    {
        Contracts.CheckValue(estimator, nameof(estimator));
        return new EstimatorChain<TNewTrans>(_env, [.. _links, new(estimator, scope, false)]);
    }

    public EstimatorChain<TLastTransformer> AppendCacheCheckpoint(IHostEnvironment env)
    {
        Contracts.CheckValue(env, nameof(env));
        if (_links.Length == 0)
            throw new InvalidOperationException("There is no estimator to cache after.");
        return _links[^1].CacheAfter
            ? this
            : new EstimatorChain<TLastTransformer>(env, [.. _links[..^1], _links[^1] with { CacheAfter = true }]);
    }
}
