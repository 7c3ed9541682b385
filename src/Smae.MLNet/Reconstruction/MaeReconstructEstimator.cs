using Microsoft.ML;
using Microsoft.ML.Runtime;
using Smae.Training;

namespace Smae.MLNet;

/// <summary>Adds a column of pictures that show what a masked autoencoder makes of images of which it sees a part.</summary>
/// <remarks>
/// <list type="table">
/// <item><term>Looks at the data to train</term><description>no</description></item>
/// <item>
/// <term>Input column</term>
/// <description>Image, Text (path of an image file) or Vector&lt;Byte&gt; (content of an image file)</description>
/// </item>
/// <item><term>Output column</term><description>Image; its pictures belong to whoever reads them</description></item>
/// </list>
/// </remarks>
public sealed class MaeReconstructEstimator : IEstimator<MaeReconstructTransformer>
{
    private readonly MaeReconstructTransformer _unbound;
    private readonly Func<ImageColumnKind, MaeReconstructTransformer> _create;

    /// <exception cref="ArgumentException">An option is wrong; the message names every one that is.</exception>
    internal MaeReconstructEstimator(
        IHostEnvironment environment, string outputColumnName, string inputColumnName, MaskedAutoencoder autoencoder,
        MaeReconstructOptions options)
    {
        Guard.NoFaults(options.Faults(autoencoder), nameof(options));
        var host = environment.Register(nameof(MaeReconstructEstimator));
        int seed = options.Seed ?? host.Rand.Next();
        _create = kind => new MaeReconstructTransformer(
            host, outputColumnName, inputColumnName, kind, new ReconstructionModel(autoencoder, options, seed), options.BrokenImages);
        _unbound = _create(ImageColumnKind.Image);
    }

    /// <summary>The transformer; nothing is trained.</summary>
    /// <param name="input">Data with the column of images. Only its schema is looked at.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it does not hold images.</exception>
    public MaeReconstructTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return _create(ImageColumn.Find(input.Schema, _unbound.InputColumnName).Kind);
    }

    /// <summary>The schema that the transformer will give.</summary>
    /// <param name="inputSchema">The shape of a schema with the column of images.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it does not hold images.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema) => _unbound.Scorer.GetOutputSchema(inputSchema);
}
