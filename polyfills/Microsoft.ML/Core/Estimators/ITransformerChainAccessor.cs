namespace Microsoft.ML.Data;

/// <summary>Looks into a chain whose last type is not known.</summary>
internal interface ITransformerChainAccessor
{
    ITransformer[] Transformers { get; }

    TransformerScope[] Scopes { get; }

    IDataView Transform(IDataView input, TransformerScope scope);
}
