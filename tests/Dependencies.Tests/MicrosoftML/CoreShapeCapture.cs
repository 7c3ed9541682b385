using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dependencies.Tests.MicrosoftML;

/// <summary>An estimator by public means only; it keeps the shape that a chain gives it, and the data that it is fitted to.</summary>
internal sealed class CoreShapeCapture(ITransformer transformer) : IEstimator<ITransformer>
{
    public SchemaShape? Shape { get; private set; }

    public IDataView? Data { get; private set; }

    public static SchemaShape Of(IDataView data)
    {
        var capture = new CoreShapeCapture(new TransformerChain<ITransformer>());
        new EstimatorChain<ITransformer>().Append(capture).Fit(data);
        return capture.Shape!;
    }

    public ITransformer Fit(IDataView input)
    {
        Data = input;
        return transformer;
    }

    public SchemaShape GetOutputSchema(SchemaShape inputSchema) => Shape = inputSchema;
}
