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
    private readonly MaeTransformer _transformer;

    internal MaeEmbeddingEstimator(
        IHostEnvironment environment, string outputColumnName, string inputColumnName, ImageEncoder encoder, BrokenImagePolicy brokenImages) =>
        _transformer = new MaeTransformer(
            environment.Register(nameof(MaeEmbeddingEstimator)), outputColumnName, inputColumnName, encoder,
            new ImageDecoders(encoder.Preprocessing), brokenImages, pretraining: null);

    /// <summary>The transformer; nothing is trained.</summary>
    /// <param name="input">Data with the column of images. Only its schema is looked at.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it does not hold images.</exception>
    public MaeTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        _ = _transformer.GetOutputSchema(input.Schema);
        return _transformer;
    }

    /// <summary>The schema that the transformer will give.</summary>
    /// <param name="inputSchema">The shape of a schema with the column of images.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it does not hold images.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema) => _transformer.Scorer.GetOutputSchema(inputSchema);
}
