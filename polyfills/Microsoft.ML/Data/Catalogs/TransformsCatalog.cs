using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML;

/// <summary>Transforms, by extension methods.</summary>
public sealed class TransformsCatalog : IInternalCatalog
{
    private readonly IHostEnvironment _env;

    internal TransformsCatalog(IHostEnvironment env)
    {
        _env = env;
        Conversion = new ConversionTransforms(this);
    }

    IHostEnvironment IInternalCatalog.Environment => _env;

    public ConversionTransforms Conversion { get; }

    /// <summary>Transforms between types of values.</summary>
    public sealed class ConversionTransforms : IInternalCatalog
    {
        private readonly IHostEnvironment _env;

        internal ConversionTransforms(TransformsCatalog owner) => _env = owner._env;

        IHostEnvironment IInternalCatalog.Environment => _env;
    }
}
