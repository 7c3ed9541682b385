using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Smae.Training;

namespace Smae.MLNet;

/// <summary>Adds a column of embeddings made by an encoder that is trained already.</summary>
/// <remarks>
/// <list type="table">
/// <item><term>Looks at the data to train</term><description>no</description></item>
/// <item>
/// <term>Input column</term>
/// <description>Image, Text (path of an image file) or Vector&lt;Byte&gt; (content of an image file)</description>
/// </item>
/// <item><term>Output column</term><description>Vector&lt;Single&gt; of the encoder's width</description></item>
/// </list>
/// </remarks>
public sealed class MaeEmbeddingEstimator : IEstimator<MaeTransformer>
{
    private readonly MaeTransformer _unbound;
    private readonly Func<ImageColumnKind, MaeTransformer> _create;

    internal MaeEmbeddingEstimator(
        IHostEnvironment environment, string outputColumnName, string inputColumnName, ImageEncoder encoder, BrokenImagePolicy brokenImages)
    {
        var host = environment.Register(nameof(MaeEmbeddingEstimator));
        var decoders = new ImageDecoders(encoder.Preprocessing);
        _create = kind => new MaeTransformer(host, outputColumnName, inputColumnName, kind, encoder, decoders, brokenImages, pretraining: null);
        _unbound = _create(ImageColumnKind.Image);
    }

    /// <summary>The transformer; nothing is trained.</summary>
    /// <param name="input">Data with the column of images. Only its schema is looked at.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it does not hold images.</exception>
    public MaeTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return _create(ImageColumn.Find(input.Schema, _unbound.InputColumnName).Kind);
    }

    /// <summary>The schema that the transformer will give.</summary>
    /// <param name="inputSchema">The shape of a schema with the column of images.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it does not hold images.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema) => _unbound.Scorer.GetOutputSchema(inputSchema);
}
