namespace Microsoft.ML.Data;

/// <summary>An estimator of a chain, when its transformer takes part, and whether its output is cached for those after it.</summary>
internal readonly record struct EstimatorLink(IEstimator<ITransformer> Estimator, TransformerScope Scope, bool CacheAfter);
