using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Smae.Export;
using Smae.Training;

namespace Smae.MLNet;

/// <summary>Makes transformers that run an ONNX file of Smae on a column of images: what these estimators have in common.</summary>
/// <typeparam name="TTransformer">The kind of transformer.</typeparam>
public abstract class OnnxImageEstimator<TTransformer> : IEstimator<TTransformer> where TTransformer : OnnxImageTransformer
{
    private readonly IHostEnvironment _environment;
    private readonly IHost _host;
    private readonly OnnxFile _file;
    private readonly ImageDecoders _decoders;
    private readonly BrokenImagePolicy _brokenImages;

    private protected OnnxImageEstimator(
        IHostEnvironment environment, string name, string inputColumnName, OnnxFile file, BrokenImagePolicy brokenImages)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(inputColumnName);
        _environment = environment;
        _host = environment.Register(name);
        (_file, _decoders, _brokenImages) = (file, new ImageDecoders(file.Info.Preprocessing), brokenImages);
        InputColumnName = inputColumnName;
    }

    /// <summary>The column of images.</summary>
    public string InputColumnName { get; }

    /// <summary>What the file tells about itself.</summary>
    public OnnxModelInfo Info => _file.Info;

    /// <summary>What a broken image leads to, for warnings.</summary>
    private protected abstract string Consequence { get; }

    /// <summary>The columns that are added.</summary>
    private protected abstract IReadOnlyList<OutputColumn> Outputs { get; }

    /// <summary>The output of the file that a saved model starts from: an embedding, or the logits of classes.</summary>
    private protected abstract OnnxOutputInfo SavedOutput { get; }

    /// <summary>Opens the file; nothing is trained.</summary>
    /// <param name="input">Data with the column of images. Only its schema is looked at.</param>
    /// <returns>A transformer that owns ONNX Runtime's session: dispose it to free the session.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it does not hold images.</exception>
    /// <exception cref="FileNotFoundException">The file is gone.</exception>
    /// <exception cref="InvalidDataException">ONNX Runtime does not take the file, or it has changed since it was given to the estimator.</exception>
    /// <exception cref="InvalidOperationException">The device cannot be used, and nothing says to go on with the CPU.</exception>
    public TTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        var (_, kind) = ImageColumn.Find(input.Schema, InputColumnName);
        using var channel = _host.Start("Opening");
        var model = new OnnxFileModel(_file.Open(_environment, channel), _file, SavedOutput);
        var scorer = new ImageScorer(_host, InputColumnName, model, Outputs)
        {
            Decoders = _decoders, BrokenImages = _brokenImages, Consequence = Consequence, BatchSize = _file.BatchSize,
        };
        return Create(new OnnxScorer(scorer, model, _file, new SavedChain(InputColumnName, kind, model)));
    }

    /// <summary>The schema that the transformer will give.</summary>
    /// <param name="inputSchema">The shape of a schema with the column of images.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it does not hold images.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        ImageColumn.Check(inputSchema, InputColumnName);
        return OutputShape.With(inputSchema, Outputs);
    }

    /// <summary>The transformer.</summary>
    private protected abstract TTransformer Create(OnnxScorer scorer);
}
