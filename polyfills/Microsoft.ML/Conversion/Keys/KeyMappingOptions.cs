namespace Microsoft.ML.Transforms;

/// <summary>How values become keys.</summary>
internal sealed record KeyMappingOptions(
    int MaximumNumberOfKeys, ValueToKeyMappingEstimator.KeyOrdinality Order, bool AnnotationsAsText, IDataView KeyData);
